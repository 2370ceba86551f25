import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type HostId, type ServerId, type SessionId } from '@nubo/kernel'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type { Database } from '../connection.js'
import { sessionOf } from '../hosts/registry.js'
import { HealthyCloud } from '../testing/healthy-cloud.js'
import { TestDatabase } from '../testing/test-database.js'
import { clearGuestPassword, readGuestPassword, recordGuestPassword } from './guest-passwords.js'

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let hostId: HostId
let sessionId: SessionId
let serverId: ServerId

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
})
afterAll(() => records?.stop())

beforeEach(async () => {
  await database.execute('TRUNCATE network_changes')
  await cloud.clear()
  hostId = await cloud.addHost('host-1')
  sessionId = (await sessionOf(database, hostId))!
  serverId = await cloud.addServer(hostId)
})

const tell = (password: string, more: { clears?: number; incarnation?: number; hostId?: HostId; sessionId?: SessionId } = {}) =>
  recordGuestPassword(database, { hostId, sessionId, serverId, incarnation: 1, clears: 0, password, ...more })
const known = () => readGuestPassword(database, serverId)
const clear = () => database.transaction((tx) => clearGuestPassword(tx, serverId))
const changes = () => database.query('SELECT subject, subject_id AS id FROM network_changes')

it('is kept once: what is told again, or otherwise, changes nothing', async () => {
  expect(await known()).toBeUndefined()
  for (const password of ['sealed', 'sealed', 'another']) expect(await tell(password)).toBe(true)
  expect(await known()).toBe('sealed')
})

it('is cleared, and its host hears of it; what was set before stays forgotten, and the next is kept', async () => {
  await tell('sealed')
  await clear()
  expect(await known()).toBeUndefined()
  expect(await changes()).toEqual([{ subject: 'server', id: serverId }])
  expect(await tell('sealed')).toBe(true)
  expect(await known()).toBeUndefined()
  await tell('another', { clears: 1 })
  expect(await known()).toBe('another')
})

it('that is under way is not lost to a clearing before it', async () => {
  await clear()
  expect(await changes()).toEqual([])
  await tell('sealed')
  expect(await known()).toBe('sealed')
})

it('is taken from no host but the one that has the server, and in no session but its own', async () => {
  const other = await cloud.addHost('host-2')
  expect(await tell('forged', { hostId: other, sessionId: (await sessionOf(database, other))! })).toBe(true)
  expect(await tell('late', { sessionId: newId<SessionId>(systemRandom) })).toBe(false)
  expect(await known()).toBeUndefined()
})

it('is of the guest that the server is now', async () => {
  await tell('of the first')
  const other = await cloud.addHost('host-2')
  await cloud.moveTo(serverId, other)
  expect(await known()).toBeUndefined()
  const there = { hostId: other, sessionId: (await sessionOf(database, other))! }
  await clear()
  expect(await tell('of the first, late', { ...there, incarnation: 1 })).toBe(true)
  await tell('of the second', { ...there, incarnation: 2 })
  expect(await known()).toBe('of the second')
})

it('goes with its server, and comes with nothing that is told late', async () => {
  await tell('sealed')
  await cloud.leaveTombstone(serverId)
  await tell('sealed')
  expect(await database.query('SELECT FROM guest_passwords')).toEqual([])
})
