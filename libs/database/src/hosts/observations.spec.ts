import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { PowerStateCode } from '@nubo/contract'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type HostId, type ServerId, type SessionId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { HealthyCloud } from '../testing/healthy-cloud.js'
import { TestDatabase } from '../testing/test-database.js'
import { observeGuests, recordSeen } from './observations.js'
import { sessionOf } from './registry.js'

const [on, off] = [1, 4] as const

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let hostId: HostId
let serverId: ServerId
let sessionId: SessionId

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
})

beforeEach(async () => {
  await cloud.clear()
  hostId = await cloud.addHost('one')
  serverId = await cloud.addServer(hostId)
  sessionId = (await sessionOf(database, hostId))!
})

afterAll(() => records?.stop())

const observe = async (powerState: PowerStateCode, sequence: number, session = sessionId) =>
  await observeGuests(database, hostId, session, [{ serverId, incarnation: 1, powerState, sequence }])
const record = async (powerState: PowerStateCode, sequence: number, session = sessionId) =>
  await recordSeen(database, serverId, { powerState, sessionId: session, sequence })

/** The host registers again: its session is over. */
async function beginSession(): Promise<SessionId> {
  const next = newId<SessionId>(systemRandom)
  await database.execute('UPDATE hosts SET session_id = $2 WHERE id = $1', [hostId, next])
  return next
}

describe('what a host sees of a guest', () => {
  it('is news once, and what it saw before is none', async () => {
    expect(await observe(off, 12)).toEqual([serverId])
    await cloud.change('servers', serverId, `vm_state = 'stopped', wanted = 'stopped'`)
    expect(await observe(off, 13)).toEqual([])
    expect(await observe(on, 11)).toEqual([])
  })

  it('is to be followed until it is: whoever noted it may have been killed then', async () => {
    expect(await observe(off, 12)).toEqual([serverId])
    expect(await observe(off, 13)).toEqual([serverId])
  })

  it('stands against a result that saw another state before, though it was no news when it came', async () => {
    await cloud.addOperation(serverId)
    await observe(on, 12)
    expect(await record(off, 11)).toBe(on)
    expect(await record(off, 13)).toBe(off)
  })
})

describe('what was seen with a result', () => {
  it('of a session that is over stands against what its host said as it registered, and not against what it said since', async () => {
    const before = sessionId
    const now = await beginSession()
    await observe(off, 1, now)
    expect(await record(on, 50, before)).toBe(on)
    await observe(off, 2, now)
    expect(await record(on, 51, before)).toBe(off)
  })

  it('stands against what was said in a session that is over', async () => {
    await observe(off, 12)
    expect(await record(on, 2, await beginSession())).toBe(on)
  })
})
