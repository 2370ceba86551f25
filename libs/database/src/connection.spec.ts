import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { startPostgres, waitFor } from '@nubo/deploy'
import type { CloudError } from '@nubo/kernel'
import { Database } from './connection.js'

jest.setTimeout(120_000)

const outOfReach = { kind: 'Unavailable', details: { retryAfterSeconds: 2 } }
const patience = { timeoutMs: 60_000, everyMs: 10 }

let postgres: Awaited<ReturnType<typeof startPostgres>>
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

const connect = (options: { poolSize?: number; statementTimeoutMs?: number } = {}) =>
  Database.connect({ ...postgres.address, poolSize: 1, ...options })

/** Keeps a connection until it is told to let go. */
async function hold(database: Database) {
  const released = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const holding = database.transaction(async () => {
    held.resolve()
    await released.promise
  })
  await held.promise
  return async () => {
    released.resolve()
    await holding
  }
}

it('lets a bounded number wait for a connection, and refuses the others at once', async () => {
  const database = connect()
  const letGo = await hold(database)
  const waiting = Array.from({ length: 50 }, () => database.query('SELECT 1'))
  expect(database.use).toMatchObject({ size: 1, inUse: 1, waiting: 50 })
  await expect(database.query('SELECT 1')).rejects.toMatchObject(outOfReach)
  await expect(database.transaction(async () => undefined)).rejects.toMatchObject(outOfReach)
  await letGo()
  expect(await Promise.all(waiting)).toHaveLength(50)
  expect(database.use).toEqual({ size: 1, inUse: 0, waiting: 0, longestWaitMs: 0 })
  await database.close()
})

it('says how long the first of those that wait has waited', async () => {
  const database = connect()
  const letGo = await hold(database)
  const waiting = database.query('SELECT 1')
  await waitFor('some time to pass', async () => database.use.longestWaitMs > 20, patience)
  await letGo()
  await waiting
  expect(database.use.longestWaitMs).toBe(0)
  await database.close()
})

it('gives up who waits for a connection in vain, and heals', async () => {
  const database = connect()
  const letGo = await hold(database)
  await expect(database.query('SELECT 1')).rejects.toMatchObject(outOfReach)
  await letGo()
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await database.close()
})

it('ends a statement that takes too long, also within a transaction', async () => {
  const database = connect({ statementTimeoutMs: 500 })
  await expect(database.query('SELECT pg_sleep(60)')).rejects.toMatchObject(outOfReach)
  await expect(database.transaction((tx) => tx.query('SELECT pg_sleep(60)'))).rejects.toMatchObject(outOfReach)
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await database.close()
})

it('waits for no PostgreSQL that is silent, and heals when it speaks again', async () => {
  const database = connect({ poolSize: 2, statementTimeoutMs: 500 })
  await database.query('SELECT 1')
  const programs = familyOf(postgres.pid!)
  for (const pid of programs) process.kill(pid, 'SIGSTOP')
  const asked = [
    ...Array.from({ length: 4 }, () => database.query('SELECT 1')),
    database.transaction((tx) => tx.query('SELECT 1')),
  ]
  const outcomes = await Promise.allSettled(asked)
  for (const pid of programs) process.kill(pid, 'SIGCONT')
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: outOfReach })
  const answers = () =>
    database.query('SELECT 1').then(
      () => true,
      () => false,
    )
  await waitFor('an answer', answers, patience)
  await database.close()
})

// A server was made when PostgreSQL spoke again, and its owner had been told to try again: there were two then.
it('says of a statement that PostgreSQL has and does not answer that it may be carried out, if it changes something', async () => {
  const database = connect({ poolSize: 3, statementTimeoutMs: 500 })
  await database.query('CREATE TABLE IF NOT EXISTS things (name text)')
  await Promise.all([1, 2, 3].map(() => database.query('SELECT pg_sleep(0.1)')))
  const programs = familyOf(postgres.pid!)
  for (const pid of programs) process.kill(pid, 'SIGSTOP')
  const outcomes = await Promise.allSettled([
    database.execute(`INSERT INTO things VALUES ('a')`),
    database.query('SELECT name FROM things FOR UPDATE'),
    database.transaction((tx) => tx.execute(`INSERT INTO things VALUES ('b')`)),
  ])
  for (const pid of programs) process.kill(pid, 'SIGCONT')
  const doubts = outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as CloudError).details['outcome'])
  expect(doubts).toEqual(['unknown', undefined, undefined])
  const made = () =>
    database.query<{ name: string }>('SELECT name FROM things').then(
      (rows) => rows.map(({ name }) => name),
      () => [],
    )
  await waitFor('it was carried out all the same', async () => (await made()).length > 0, patience)
  expect(await made()).toEqual(['a'])
  await database.close()
})

it('says that PostgreSQL is gone, and heals when it is back', async () => {
  const database = connect()
  await database.query('SELECT 1')
  await postgres.halt()
  await expect(database.query('SELECT 1')).rejects.toMatchObject(outOfReach)
  await expect(database.transaction(async () => undefined)).rejects.toMatchObject(outOfReach)
  await postgres.start()
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await database.close()
})

/** A process and those that it began. */
function familyOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
  return [pid, ...children.map(Number)]
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

it('lives on when PostgreSQL ends a connection on which a transaction is between two statements', async () => {
  const [database, other] = [connect(), connect()]
  const cut = database.transaction(async (tx) => {
    const [mine] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await other.query('SELECT pg_terminate_backend($1)', [mine!.pid])
    const isGone = async () => (await other.query('SELECT FROM pg_stat_activity WHERE pid = $1', [mine!.pid])).length === 0
    await waitFor('the connection is ended', isGone, patience)
    await tx.query('SELECT 1')
  })
  await expect(cut).rejects.toMatchObject(outOfReach)
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await Promise.all([database.close(), other.close()])
})

it('reads under a shared lock what was committed by whoever had it alone, and writes nothing there', async () => {
  const [reader, changer] = [connect(), connect({ poolSize: 2 })]
  await changer.execute('CREATE TABLE shared_notes AS SELECT 1 AS number')
  const hasLock = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const change = changer.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(7)')
    hasLock.resolve()
    await mayCommit.promise
    await tx.execute('UPDATE shared_notes SET number = 2')
  })
  await hasLock.promise
  const read = reader.readSharing(7, (db) => db.query('SELECT number FROM shared_notes'))
  const waits = () => changer.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
  await waitFor('the reader waits for the lock', async () => (await waits()).length > 0, patience)
  mayCommit.resolve()
  expect(await read).toEqual([{ number: 2 }])
  await change
  const write = reader.readSharing(7, (db) => db.execute('UPDATE shared_notes SET number = 3'))
  await expect(write).rejects.toThrow('read-only transaction')
  await changer.query('SELECT pg_advisory_lock(7), pg_advisory_unlock(7)')
  for (const each of [reader, changer]) await each.close()
})

it('keeps a thousand statements prepared and no more, and runs the others all the same', async () => {
  const database = connect()
  for (let number = 0; number < 1_100; number++) await database.query(`SELECT ${number} AS number`)
  expect(await database.query('SELECT 1100 AS number')).toEqual([{ number: 1100 }])
  const [kept] = await database.queryOnce<{ count: number }>('SELECT count(*) FROM pg_prepared_statements')
  expect(kept!.count).toBeGreaterThan(900)
  expect(kept!.count).toBeLessThanOrEqual(1_000)
  await database.close()
})
