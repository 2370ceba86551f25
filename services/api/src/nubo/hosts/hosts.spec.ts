import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { releaseRoom } from '@nubo/database'
import { addHost, addServer, silence } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let demo: string
let hostId: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
})
beforeEach(async () => {
  await api.database.execute('TRUNCATE hosts, servers, allocations, abandoned_guests CASCADE')
  hostId = await addHost(api.database, { name: 'host-1' })
})
afterAll(() => api?.stop())

async function send(method: string, path: string, { token = admin, body }: { token?: string; body?: unknown } = {}) {
  const response = await api.send(method, `/nubo/v1/hosts${path}`, { token, body })
  return { status: response.statusCode, body: JSON.parse(response.body) }
}
const state = async () => (await send('GET', '')).body.hosts[0].state
const quarantine = (reason: string | null) => api.database.execute('UPDATE hosts SET quarantine = $1', [reason])

describe('hosts', () => {
  it('are listed with what they are, and whether they can be heard at all', async () => {
    expect(await send('GET', '')).toMatchObject({
      status: 200,
      body: {
        hosts_are_heard: false,
        hosts: [{ id: hostId, name: 'host-1', state: 'up', why: null, fencing_epoch: 1, servers: 0 }],
      },
    })
    await api.database.execute('UPDATE hearing SET marked_at = now()')
    expect((await send('GET', '')).body.hosts_are_heard).toBe(true)
    await silence(api.database, hostId, 31)
    expect((await send('GET', '')).body.hosts[0]).toMatchObject({
      state: 'down',
      what_to_do: expect.stringContaining('nubo host fence'),
    })
    await quarantine('its journal was lost')
    expect((await send('GET', '')).body.hosts[0]).toMatchObject({ state: 'quarantined', why: 'its journal was lost' })
  })

  it('are shown with what they hold of servers that are gone, and why they could not be asked', async () => {
    const serverId = await addServer(api.database, hostId, { memoryMiB: 64 })
    await api.database.execute(`UPDATE servers SET deleted_at = now(), vm_state = 'deleted' WHERE id = $1`, [serverId])
    await silence(api.database, hostId, 31)
    expect((await send('GET', `/${hostId}`)).body.host).toMatchObject({
      ...{ state: 'down', servers: 1, tombstones: [{ server_id: serverId, incarnation: 1 }], abandoned: [] },
      ...{ answered: false, trouble: 'It is down.' },
    })
    await send('POST', `/${hostId}/fence`)
    await api.database.transaction((tx) => releaseRoom(tx, serverId, 1))
    expect((await send('GET', `/${hostId}`)).body.host).toMatchObject({
      ...{ state: 'fenced', servers: 0, tombstones: [], abandoned: [{ server_id: serverId, incarnation: 1 }] },
    })
  })

  it('are fenced once, and released', async () => {
    const fenced = await send('POST', `/${hostId}/fence`)
    expect(fenced).toMatchObject({ status: 200, body: { host: { state: 'fenced', fencing_epoch: 2 } } })
    expect((await send('POST', `/${hostId}/fence`, { body: {} })).body.host.fencing_epoch).toBe(2)
    // Up with its next registration.
    expect(await send('POST', `/${hostId}/release`)).toMatchObject({ status: 200, body: { host: { state: 'down' } } })
    expect(await send('POST', `/${hostId}/release`)).toMatchObject({
      status: 409,
      body: { conflictingRequest: { message: expect.stringContaining('neither fenced nor in quarantine') } },
    })
  })

  it('are released from quarantine', async () => {
    await quarantine('its journal was lost')
    expect(await state()).toBe('quarantined')
    expect((await send('POST', `/${hostId}/release`)).status).toBe(200)
    expect(await state()).toBe('down')
  })

  it('are for administrators, and found by their ids', async () => {
    expect((await send('GET', '', { token: demo })).status).toBe(403)
    expect((await send('POST', `/${hostId}/fence`, { token: demo })).status).toBe(403)
    expect((await send('POST', `/${hostId}/release`, { token: demo })).status).toBe(403)
    expect(await send('GET', '/host-1')).toMatchObject({
      status: 404,
      body: { itemNotFound: { message: 'Host host-1 could not be found.' } },
    })
    expect((await send('POST', `/${hostId}/fence`, { body: { force: true } })).status).toBe(400)
  })
})
