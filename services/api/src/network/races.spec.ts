import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import { newId, systemRandom } from '@nubo/kernel'
import { computeRequests } from '../testing/compute-requests.js'
import { startNetworkApi, type NetworkRequests } from '../testing/network-requests.js'
import type { TestApi } from '../testing/test-api.js'

// Whoever waited for a record goes on with what it is after the wait, also where that lies in other tables: a row that is
// joined to a locked one is as old as the statement that waited. So a router forgot a gateway that it had got meanwhile, whose
// port and address nobody could free any more; a port kept groups that it was taken out of; one of two new addresses was lost.

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let inside: { id: string; subnetId: string }
let outside: string
let routerId: string

beforeAll(async () => {
  ;({ api, admin, demo } = await startNetworkApi())
})
afterAll(() => api?.stop())
beforeEach(async () => {
  await api.database.execute('TRUNCATE networks, subnets, ports, routers, floating_ips, servers, project_quotas CASCADE')
  outside = await made(admin, 'network', { 'router:external': true })
  await made(admin, 'subnet', { network_id: outside, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false })
  const id = await made(demo, 'network', {})
  inside = { id, subnetId: await made(demo, 'subnet', { network_id: id, ip_version: 4, cidr: '10.0.0.0/24' }) }
  routerId = await made(demo, 'router', {})
})

async function made(by: NetworkRequests, singular: string, body: Record<string, unknown>): Promise<string> {
  const answer = await by('POST', `/${singular.replaceAll('_', '-')}s`, { [singular]: body })
  expect(answer).toMatchObject({ status: 201 })
  return answer.body[singular].id
}

const waiting = async () =>
  (
    await api.database.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active' AND datname = current_database()`,
    )
  ).length

/** Sends these while that row is locked, each when the one before waits or is answered: those that wait go on in that order. */
async function inTurn<T>(table: string, id: string, requests: readonly (() => Promise<T>)[]): Promise<T[]> {
  const sent: Promise<T>[] = []
  let answered = 0
  await api.database.transaction(async (tx) => {
    await tx.execute(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE`, [id])
    for (const request of requests) {
      sent.push(request().finally(() => (answered += 1)))
      await waitFor('the request waits', async () => (await waiting()) + answered === sent.length, {
        timeoutMs: 60_000,
        everyMs: 5,
      })
    }
  })
  return await Promise.all(sent)
}

it('a router that got a gateway while it was to lose one loses that one', async () => {
  const gateway = (info: unknown) => () => demo('PUT', `/routers/${routerId}`, { router: { external_gateway_info: info } })
  const answers = await inTurn('routers', routerId, [gateway({ network_id: outside }), gateway(null)])
  expect(answers.map(({ status, body }) => [status, body.router.external_gateway_info])).toEqual([
    [200, expect.objectContaining({ network_id: outside })],
    [200, null],
  ])
  const left = await api.database.query(`SELECT FROM ports WHERE network_id = $1`, [outside])
  expect(left).toEqual([])
})

it('a port is in the groups that were said last', async () => {
  const group = await made(demo, 'security_group', { name: 'web' })
  const id = await made(demo, 'port', { network_id: inside.id })
  const [usual] = (await demo('GET', `/ports/${id}`)).body.port.security_groups
  const put = (groups: string[]) => () => demo('PUT', `/ports/${id}`, { port: { security_groups: groups } })
  const answers = await inTurn('ports', id, [put([group]), put([usual])])
  expect(answers.map(({ body }) => body.port.security_groups)).toEqual([[group], [usual]])
})

it('each request for one more address of a server gives one', async () => {
  const compute = computeRequests(api, await api.demo())
  const imageRef = newId(systemRandom)
  await api.database.execute(
    `INSERT INTO images (id, project_id, name, status, visibility, disk_format, container_format, size_bytes, virtual_bytes)
     VALUES ($1, 'somebody', 'guest', 'active', 'public', 'raw', 'bare', 1048576, 1048576)`,
    [imageRef],
  )
  const server = { name: 'guest', imageRef, flavorRef: '1', networks: [{ uuid: inside.id }] }
  const { id } = (await compute('POST', '/servers', { body: { server } })).body.server
  const [port] = await api.database.query<{ id: string }>('SELECT id FROM ports WHERE server_id = $1', [id])
  const add = () => compute('POST', `/servers/${id}/action`, { version: '2.43', body: { addFixedIp: { networkId: inside.id } } })
  const answers = await inTurn('ports', port!.id, [add, add])
  expect(answers.map(({ status }) => status)).toEqual([202, 202])
  expect((await demo('GET', `/ports/${port!.id}`)).body.port.fixed_ips).toHaveLength(3)
})

it('no floating IP leads through a router that is just being taken off the network', async () => {
  await demo('PUT', `/routers/${routerId}`, { router: { external_gateway_info: { network_id: outside } } })
  const through = { subnet_id: inside.subnetId }
  const connected = await demo('PUT', `/routers/${routerId}/add_router_interface`, through)
  const port = await made(demo, 'port', { network_id: inside.id })
  const floatingip = { floating_network_id: outside, port_id: port }
  const answers = await inTurn('ports', connected.body.port_id, [
    () => demo('PUT', `/routers/${routerId}/remove_router_interface`, through),
    () => demo('POST', '/floatingips', { floatingip }),
  ])
  expect(answers.map(({ status, type }) => [status, type])).toEqual([
    [200, undefined],
    [404, 'ExternalGatewayForFloatingIPNotFound'],
  ])
})
