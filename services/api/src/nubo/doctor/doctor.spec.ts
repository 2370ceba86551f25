import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { addHost } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let hostId: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  hostId = await addHost(api.database, { name: 'host-1' })
  // So that it is not waited for: there is no agent here.
  await api.database.execute('UPDATE hosts SET forced_down = true')
})
afterAll(() => api.stop())
beforeEach(async () => void (await api.database.execute('UPDATE hosts SET used_vcpus = 0')))

async function send(method: string, path: string, body?: unknown) {
  const response = await api.send(method, `/nubo/v1/doctor${path}`, { token: admin, body })
  return { status: response.statusCode, doctor: JSON.parse(response.body).doctor }
}

it('says that all is well, and whom it could not ask', async () => {
  expect(await send('GET', '')).toMatchObject({
    status: 200,
    doctor: {
      healthy: true,
      findings: [],
      tombstones: [],
      abandoned: [],
      hosts: [{ name: 'host-1', answered: false, trouble: 'It is down.' }],
    },
  })
})

it('says in words what is wrong, where, and what is to be done; and mends it when it is told to', async () => {
  await api.database.execute('UPDATE hosts SET used_vcpus = 3')
  const { doctor } = await send('GET', '')
  expect(doctor).toMatchObject({
    healthy: false,
    findings: [
      {
        ...{ promise: 1, code: 'room.counters-differ', host: 'host-1', host_id: hostId, server_id: null, since: null },
        repair: { possible: true, how: "The host's counters are set to the sum of its allocations." },
      },
    ],
  })
  expect(doctor.findings[0].message).toContain('Host host-1 counts 3 vCPU')
  expect((await send('POST', '/repair', {})).doctor).toMatchObject({
    healthy: true,
    findings: [{ code: 'room.counters-differ', outcome: { mended: true } }],
  })
  expect((await send('GET', '')).doctor.findings).toEqual([])
})

it('leaves to a person what no record says how to mend', async () => {
  await api.database.execute('UPDATE hosts SET capacity_vcpus = -1')
  expect((await send('POST', '/repair')).doctor).toMatchObject({
    healthy: false,
    findings: [{ code: 'room.above-capacity', repair: { possible: false }, outcome: { mended: false } }],
  })
})
