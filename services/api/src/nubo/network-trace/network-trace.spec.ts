import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { raisePlans } from '@nubo/database'
import type { HostId, ServerId } from '@nubo/kernel'
import { NetworkRows } from '@nubo/database/testing'
import { addHost, addServer } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let demo: string
let server: ServerId

// A server on one host, another on the other host; the second is in a group that lets its own members in by TCP, and is no
// member of the first one's.
beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
  const [project] = await api.database.query<{ id: string }>(`SELECT id FROM projects WHERE name = 'demo'`)
  const rows = new NetworkRows(api.database, project!.id)
  const hosts = [await addHost(api.database, { name: 'host-1' }), await addHost(api.database, { name: 'host-2' })] as HostId[]
  await api.database.execute(`UPDATE hosts SET address = '192.0.2.' || number`)
  const group = await rows.group()
  const network = await rows.network(7)
  const servers: ServerId[] = []
  for (const [index, hostId] of hosts.entries()) {
    const serverId = await addServer(api.database, hostId, { memoryMiB: 64 })
    const mac = `fa:16:3e:00:00:0${index + 5}`
    await rows.port(network, { address: `10.0.0.${index + 5}`, mac, hostId, serverId, groups: [group] })
    servers.push(serverId)
  }
  await api.database.execute('UPDATE servers SET project_id = $1', [project!.id])
  await api.database.execute(
    `INSERT INTO security_group_rules (id, group_id, project_id, direction, ethertype) VALUES (gen_random_uuid(), $1, $2, 'egress', 'IPv4')`,
    [group, project!.id],
  )
  while (await raisePlans(api.database));
  server = servers[0]!
}, 120_000)
afterAll(() => api.stop())

async function traced(query: string, token = demo) {
  const response = await api.send('GET', `/nubo/v1/servers/${server}/network-trace?${query}`, { token })
  return { status: response.statusCode, body: JSON.parse(response.body) }
}

it('a packet is followed from host to host, and the rules that let it through are named', async () => {
  const { status, body } = await traced('address=10.0.0.6&port=22')
  expect(status).toBe(200)
  expect(body.network_trace).toMatchObject({
    outcome: 'arrives',
    hops: [
      { at: 'port', direction: 'egress', verdict: 'allowed-by-rule', rule: { ethertype: 'IPv4' } },
      { at: 'network', verdict: 'delivered', address: '10.0.0.6' },
      { at: 'port', direction: 'ingress', verdict: 'allowed-by-rule', rule: { protocol: 6 } },
    ],
  })
  expect(body.network_trace.lines.at(-1)).toBe('It arrives.')
})

it('what no rule lets in is dropped, and said', async () => {
  const { body } = await traced('address=10.0.0.6&protocol=udp&port=53')
  expect(body.network_trace).toMatchObject({ outcome: 'dropped', hops: [{}, {}, { direction: 'ingress', verdict: 'no-rule' }] })
  expect(body.network_trace.lines.at(-2)).toMatch(/drops it: no rule of its groups lets it pass\.$/)
})

it('an address that nobody has is dropped by the network', async () => {
  const { body } = await traced('address=10.0.0.99')
  expect(body.network_trace).toMatchObject({ outcome: 'dropped', hops: [{}, { at: 'network', verdict: 'nobody-there' }] })
})

it('of another project’s port only what it does is told', async () => {
  await api.database.execute(`UPDATE ports SET project_id = 'another' WHERE mac = 'fa:16:3e:00:00:06'`)
  const { body } = await traced('address=10.0.0.6&port=22')
  expect(body.network_trace.hops[2]).toEqual({ at: 'port', port_id: null, direction: 'ingress', verdict: 'allowed-by-rule' })
  expect(body.network_trace.lines[2]).toBe('A port of another project lets it in.')
  const seenByAdmin = await traced('address=10.0.0.6&port=22', admin)
  expect(seenByAdmin.body.network_trace.hops[2]).toMatchObject({ rule: { protocol: 6 } })
})

it.each([
  '',
  'address=nowhere',
  'address=10.0.0.6&protocol=teapot',
  'address=10.0.0.6&port=70000',
  'address=10.0.0.6&colour=red',
])('refuses %s', async (query) => {
  expect(await traced(query)).toMatchObject({ status: 400 })
})
