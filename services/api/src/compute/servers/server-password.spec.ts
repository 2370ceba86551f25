import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { recordGuestPassword } from '@nubo/database'
import { newId, systemRandom, type HostId, type ServerId, type SessionId } from '@nubo/kernel'
import { computeRequests } from '../../testing/compute-requests.js'
import { addHost, addServer } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let hostId: HostId
let serverId: ServerId

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
  hostId = await addHost(api.database, { name: 'host-1' })
})
afterAll(() => api?.stop())
beforeEach(async () => {
  await api.database.execute('TRUNCATE network_changes')
  serverId = await addServer(api.database, hostId, { memoryMiB: 64 })
})

const path = (id = serverId as string) => `/servers/${id}/os-server-password`

/** As the server's host does it. */
async function set(password: string, clears: number): Promise<void> {
  const [host] = await api.database.query<{ sessionId: SessionId }>('SELECT session_id AS "sessionId" FROM hosts')
  await recordGuestPassword(api.database, { hostId, ...host!, serverId, incarnation: 1, clears, password })
}

it('a password that a guest set is read by its owner, until it is cleared', async () => {
  expect(await admin('GET', path())).toMatchObject({ status: 200, body: { password: '' } })
  await set('sealed', 0)
  for (const version of ['2.1', '2.96']) expect((await admin('GET', path(), { version })).body).toEqual({ password: 'sealed' })
  const { updated: before } = (await admin('GET', `/servers/${serverId}`)).body.server
  expect(await admin('DELETE', path())).toMatchObject({ status: 204, body: undefined })
  expect((await admin('GET', path())).body).toEqual({ password: '' })
  expect((await admin('DELETE', path())).status).toBe(204)
  expect(await api.database.query('SELECT subject, subject_id AS id FROM network_changes')).toEqual([
    { subject: 'server', id: serverId },
  ])
  await set('another', 1)
  expect((await admin('GET', path())).body).toEqual({ password: 'another' })
  expect((await admin('GET', `/servers/${serverId}`)).body.server.updated).toBe(before)
})

it('a server that is not there has none, nor has one of another project', async () => {
  await set('sealed', 0)
  for (const id of [newId(systemRandom), serverId, 'none']) {
    for (const method of ['GET', 'DELETE'])
      expect(await demo(method, path(id))).toMatchObject({ status: 404, message: `Instance ${id} could not be found.` })
  }
  expect((await admin('GET', path())).body).toEqual({ password: 'sealed' })
})
