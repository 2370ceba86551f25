import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startPostgres, waitFor } from '@nubo/deploy'
import { CloudError, newId, systemRandom, type KeptAnswer, type RequestKey } from '@nubo/kernel'
import pg from 'pg'
import type { Database } from '../connection.js'
import { TestDatabase } from '../testing/test-database.js'
import { Once } from './once.js'
import { claimKey, countKeptAnswers, findKeptAnswer, forgetOldAnswers } from './request-keys.js'

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres(), { poolSize: 10 })
  ;({ database } = records)
  await database.execute('CREATE TABLE made (name text NOT NULL)')
})
beforeEach(() => database.execute('TRUNCATE made, idempotency_keys'))
afterAll(() => records?.stop())

const keyOf = (parts: Partial<RequestKey> = {}): RequestKey => ({
  scope: 'project:p',
  userId: 'u',
  route: 'POST /things',
  keyDigest: 'k',
  requestDigest: 'r',
  answerTo: (body) => ({ status: 201, location: '/things/a', body: body ?? null }),
  ...parts,
})

const answer = (name: string) => ({ thing: { name } })
const onceFor = (key: RequestKey | undefined) => new Once<string>(key, answer)

/** A use case that makes a thing. */
const make = (key: RequestKey | undefined, name = 'a') =>
  onceFor(key).run(database, async (db) => {
    await db.execute('INSERT INTO made VALUES ($1)', [name])
    return name
  })

const countMade = async () => (await database.query('SELECT FROM made')).length
const countKept = async () => (await database.query('SELECT FROM idempotency_keys')).length
const age = (hours: number) =>
  database.execute(`UPDATE idempotency_keys SET created_at = created_at - $1 * interval '1 hour'`, [hours])

const unforeseen: KeptAnswer = { status: 201, location: null, body: null }
const underWay = { kind: 'Conflict', details: { retryAfterSeconds: 1 } }

describe('a use case', () => {
  it('leaves the answer beside what it made', async () => {
    expect(await make(keyOf())).toBe('a')
    expect(await findKeptAnswer(database, keyOf())).toEqual({
      requestDigest: 'r',
      status: 201,
      location: '/things/a',
      body: { thing: { name: 'a' } },
    })
  })

  it('that answers with no body leaves its status', async () => {
    await new Once(keyOf({ answerTo: () => ({ status: 202, location: null, body: null }) }), () => undefined).run(
      database,
      async () => undefined,
    )
    expect(await findKeptAnswer(database, keyOf())).toMatchObject({ status: 202, location: null, body: null })
  })

  it.each([
    ['as it was foreseen', 'a', 'a'],
    ['otherwise than foreseen', 'a', 'b'],
  ])('that ends %s leaves what was made', async (_how, foreseen, name) => {
    await onceFor(keyOf()).run(database, async () => name, foreseen)
    expect(await findKeptAnswer(database, keyOf())).toMatchObject({ status: 201, body: { thing: { name } } })
  })

  it('that fails leaves neither, so that it can be tried again', async () => {
    const failing = onceFor(keyOf()).run(database, async (db) => {
      await db.execute('INSERT INTO made VALUES ($1)', ['a'])
      throw new CloudError('QuotaExceeded', 'No room.')
    })
    await expect(failing).rejects.toMatchObject({ kind: 'QuotaExceeded' })
    expect([await countMade(), await countKept()]).toEqual([0, 0])
    await make(keyOf())
    expect([await countMade(), await countKept()]).toEqual([1, 1])
  })

  it('without a key is given no transaction and writes no row', async () => {
    const given = await onceFor(undefined).run(database, async (db) => String(db === database))
    expect(given).toBe('true')
    expect(await countKept()).toBe(0)
  })
})

describe('requests with one key', () => {
  it('make one thing, however many race; the others are told to come again', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => make(keyOf())))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as CloudError)
    expect(failed).toHaveLength(49)
    for (const error of failed) expect(error).toMatchObject(underWay)
    expect([await countMade(), await countKept()]).toEqual([1, 1])
  })

  it('do not wait for one that is under way', async () => {
    await database.transaction((tx) =>
      onceFor(keyOf()).within(tx, async () => {
        await expect(make(keyOf())).rejects.toMatchObject(underWay)
        return 'a'
      }),
    )
    expect(await countKept()).toBe(1)
  })

  it('are not held up by one whose process died', async () => {
    const client = new pg.Client(records.address)
    client.on('error', () => undefined)
    await client.connect()
    await client.query('BEGIN')
    const execute = async (text: string, values?: readonly unknown[]) =>
      (await client.query(text, values as unknown[])).rowCount ?? 0
    expect(
      await claimKey({ inTransaction: true, execute, query: () => Promise.reject(new Error('unused')) }, keyOf(), unforeseen),
    ).toBe(true)
    await expect(make(keyOf())).rejects.toMatchObject(underWay)
    // As the kernel does for a process that was killed: the connection is closed without a word.
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    await waitFor(
      'the key is free',
      () =>
        make(keyOf()).then(
          () => true,
          () => false,
        ),
      { timeoutMs: 20_000, everyMs: 20 },
    )
    expect([await countMade(), await countKept()]).toEqual([1, 1])
  })

  it('of another scope, user or route are others', async () => {
    const others: Partial<RequestKey>[] = [
      {},
      { scope: 'project:q' },
      { userId: 'v' },
      { route: 'POST /others' },
      { keyDigest: 'l' },
    ]
    await Promise.all(others.map((other) => make(keyOf(other))))
    expect([await countMade(), await countKept()]).toEqual([others.length, others.length])
  })

  it('are not confused by where one name ends and the next begins', async () => {
    await database.transaction((tx) =>
      onceFor(keyOf({ scope: 'a', userId: 'bc' })).within(tx, async () => {
        await make(keyOf({ scope: 'ab', userId: 'c' }))
        return 'a'
      }),
    )
    expect(await countKept()).toBe(2)
  })
})

describe('an answer', () => {
  it('is kept for a day, and then its key is free', async () => {
    await make(keyOf())
    await age(23.9)
    expect(await findKeptAnswer(database, keyOf())).toBeDefined()
    await expect(make(keyOf())).rejects.toMatchObject(underWay)
    await age(0.2)
    expect(await findKeptAnswer(database, keyOf())).toBeUndefined()
    await make(keyOf({ requestDigest: 'other' }), 'b')
    expect(await findKeptAnswer(database, keyOf())).toMatchObject({ requestDigest: 'other', body: { thing: { name: 'b' } } })
    expect(await countKept()).toBe(1)
  })

  it('is counted with the others of its scope, for as long as it is kept', async () => {
    for (const keyDigest of ['a', 'b']) await make(keyOf({ keyDigest }))
    await age(23.5)
    await make(keyOf({ keyDigest: 'young' }))
    await make(keyOf({ scope: 'project:other' }))
    const { kept, freeInSeconds } = await countKeptAnswers(database, 'project:p')
    expect([kept, Math.ceil(freeInSeconds / 1800)]).toEqual([3, 1])
    await age(1)
    expect(await countKeptAnswers(database, 'project:p')).toMatchObject({ kept: 1 })
    expect(await countKeptAnswers(database, 'project:none')).toEqual({ kept: 0, freeInSeconds: 0 })
  })

  it('that is long counts for as many as it takes the room of', async () => {
    const long = Array.from({ length: 4_000 }, () => newId(systemRandom)).join()
    await make(keyOf({ keyDigest: 'short' }))
    await make(keyOf({ keyDigest: 'long' }), long)
    const { kept } = await countKeptAnswers(database, 'project:p')
    expect([kept > 20, kept < 100]).toEqual([true, true])
  })

  it('is removed after it, so many at a time and no younger one', async () => {
    for (const keyDigest of ['a', 'b', 'c']) await make(keyOf({ keyDigest }))
    await age(24.1)
    await make(keyOf({ keyDigest: 'young' }))
    expect(await forgetOldAnswers(database, 2)).toBe(2)
    expect(await forgetOldAnswers(database, 2)).toBe(1)
    expect(await forgetOldAnswers(database, 2)).toBe(0)
    expect(await findKeptAnswer(database, keyOf({ keyDigest: 'young' }))).toBeDefined()
  })
})
