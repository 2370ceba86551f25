import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type SessionId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { registrationOf } from '../testing/host-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import { recordHearing } from './hearing.js'
import { heartbeatHost, registerHost } from './registry.js'
import { readHostSnapshot } from './snapshot.js'

const silenceMs = 30_000

let records: TestDatabase
let database: Database
let sequence = 0

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})
beforeEach(async () => {
  await database.execute('DELETE FROM hosts')
  await database.execute('UPDATE hearing SET marked_at = NULL')
})
afterAll(() => records?.stop())

async function addHost(hostName: string) {
  const report = registrationOf(hostName)
  const { hostId, inventory } = report
  const sessionId = newId<SessionId>(systemRandom)
  await database.transaction((tx) => registerHost(tx, report, sessionId))
  return {
    beat: () => heartbeatHost(database, { kind: 'heartbeat', hostId, sessionId, sequence: ++sequence, inventory, guests: [] }),
  }
}

/** Lets so much time pass for PostgreSQL, in which marks arrive every so often, or none at all. */
async function pass(seconds: number, { markEvery }: { markEvery?: number } = {}): Promise<void> {
  for (let passed = 0; passed < seconds; passed += markEvery ?? seconds) {
    await database.execute(`UPDATE hearing SET marked_at = marked_at - $1 * interval '1 second'`, [markEvery ?? seconds])
    if (markEvery) await recordHearing(database)
  }
}

const up = async () => (await readHostSnapshot(database, silenceMs)).hosts.filter((host) => host.alive).map((host) => host.name)
const hearing = async () => (await readHostSnapshot(database, silenceMs)).hearing

it('we are deaf until a mark arrives, and again when none comes any more', async () => {
  expect(await hearing()).toBe(false)
  await recordHearing(database)
  expect(await hearing()).toBe(true)
  await pass(10)
  expect(await hearing()).toBe(true)
  await pass(6)
  expect(await hearing()).toBe(false)
})

it('a host that is silent for half a minute in which others are heard is down, and up with its next word', async () => {
  const [silent, heard] = [await addHost('silent'), await addHost('heard')]
  await recordHearing(database)
  for (let seconds = 0; seconds < 25; seconds += 5) {
    await pass(5, { markEvery: 5 })
    await heard.beat()
  }
  expect(await up()).toEqual(['silent', 'heard'])
  await pass(10, { markEvery: 5 })
  await heard.beat()
  expect(await up()).toEqual(['heard'])
  await silent.beat()
  expect(await up()).toEqual(['silent', 'heard'])
})

it('the only host there is is down when it could have been heard', async () => {
  await addHost('only')
  await recordHearing(database)
  await pass(35, { markEvery: 5 })
  expect(await up()).toEqual([])
})

it('no host is down for a silence in which we were deaf, nor before it had time to be heard after it', async () => {
  const [first] = [await addHost('first'), await addHost('second')]
  await recordHearing(database)
  await pass(10, { markEvery: 5 })
  await pass(3600)
  await recordHearing(database)
  await first.beat()
  expect(await up()).toEqual(['first', 'second'])
  await pass(15, { markEvery: 5 })
  expect(await up()).toEqual(['first', 'second'])
  await pass(10, { markEvery: 5 })
  expect(await up()).toEqual(['first'])
})

it('what comes and goes is no hearing: gaps of more than two marks count for nothing', async () => {
  await addHost('only')
  await recordHearing(database)
  await pass(300, { markEvery: 11 })
  expect(await up()).toEqual(['only'])
})

it('PostgreSQL’s clock set forward or back makes no host silent', async () => {
  await addHost('only')
  await recordHearing(database)
  await pass(86_400)
  await recordHearing(database)
  await pass(-86_400)
  await recordHearing(database)
  expect(await up()).toEqual(['only'])
  expect(await hearing()).toBe(true)
})

it('many conductors count no more than one', async () => {
  await addHost('only')
  await recordHearing(database)
  await pass(20, { markEvery: 5 })
  for (let mark = 0; mark < 50; mark++) await recordHearing(database)
  expect(await up()).toEqual(['only'])
})
