import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { addHost } from '../../testing/hosts.js'
import { networkRequests } from '../../testing/network-requests.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof networkRequests>
let demo: ReturnType<typeof networkRequests>
let id: HostId

beforeAll(async () => {
  api = await TestApi.start()
  admin = networkRequests(api, await api.admin())
  demo = networkRequests(api, await api.demo())
  id = await addHost(api.database, { name: 'host-1' })
})
afterAll(() => api?.stop())

it('is what compute calls a service: one that is off is disabled there too', async () => {
  const change = (agent: Record<string, unknown>) => admin('PUT', `/agents/${id}`, { agent })
  expect((await admin('GET', `/agents/${id}`)).body.agent).toMatchObject({
    host: 'host-1',
    admin_state_up: true,
    description: '',
  })
  expect(await change({ admin_state_up: false, description: 'away' })).toMatchObject({
    status: 200,
    body: { agent: { admin_state_up: false, description: 'away' } },
  })
  const enabled = () => api.database.query('SELECT enabled FROM hosts WHERE id = $1', [id])
  expect(await enabled()).toEqual([{ enabled: false }])
  expect((await change({ description: 'back' })).body.agent).toMatchObject({ admin_state_up: false, description: 'back' })
  expect((await change({ admin_state_up: 'True' })).body.agent).toMatchObject({ admin_state_up: true, description: 'back' })
  for (const bad of [{ colour: 'red' }, { admin_state_up: 'perhaps' }, { description: 5 }, { host: 'other' }])
    expect((await change(bad)).status).toBe(400)
})

it('is there for operators alone', async () => {
  expect((await demo('GET', '/agents')).body).toEqual({ agents: [] })
  expect(await demo('GET', `/agents/${id}`)).toMatchObject({ status: 404, type: 'AgentNotFound' })
  for (const method of ['PUT', 'DELETE']) expect((await demo(method, `/agents/${id}`, { agent: {} })).status).toBe(403)
  expect(await admin('PUT', `/agents/${newId(systemRandom)}`, { agent: {} })).toMatchObject({
    status: 404,
    type: 'AgentNotFound',
  })
})

it('is forgotten with its host', async () => {
  expect((await admin('DELETE', `/agents/${id}`)).status).toBe(204)
  expect((await admin('GET', '/agents')).body).toEqual({ agents: [] })
})
