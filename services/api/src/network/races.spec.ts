import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
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
let projects: Record<string, string>
let inside: { id: string; subnetId: string }
let outside: string
let routerId: string

beforeAll(async () => {
  ;({ api, admin, demo, projects } = await startNetworkApi())
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
  const path = `/${singular.replaceAll('_', '-')}s`.replace(/ys$/, 'ies')
  const answer = await by('POST', path, { [singular]: body })
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
async function inTurn<T>(table: string, id: string, requests: readonly (() => Promise<T>)[], key = 'id'): Promise<T[]> {
  const sent: Promise<T>[] = []
  let answered = 0
  await api.database.transaction(async (tx) => {
    await tx.execute(`SELECT FROM ${table} WHERE ${key} = $1 FOR UPDATE`, [id])
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

const statuses = (answers: readonly { status: number; type?: string | undefined }[]) =>
  answers.map(({ status, type }) => (type === undefined ? status : `${status} ${type}`))

async function newServer(compute: ReturnType<typeof computeRequests>, networkId: string) {
  const imageRef = newId(systemRandom)
  await api.database.execute(
    `INSERT INTO images (id, project_id, name, status, visibility, disk_format, container_format, size_bytes, virtual_bytes)
     VALUES ($1, 'somebody', 'guest', 'active', 'public', 'raw', 'bare', 1048576, 1048576)`,
    [imageRef],
  )
  const server = { name: 'guest', imageRef, flavorRef: '1', networks: [{ uuid: networkId }] }
  return await compute('POST', '/servers', { body: { server } })
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
  const { id } = (await newServer(compute, inside.id)).body.server
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

describe('what is shared', () => {
  let lent: { id: string; subnetId: string }

  beforeEach(async () => {
    const id = await made(admin, 'network', {})
    lent = { id, subnetId: await made(admin, 'subnet', { network_id: id, ip_version: 4, cidr: '10.9.0.0/24' }) }
  })

  const share = (target: string, action = 'access_as_shared', networkId = lent.id) =>
    made(admin, 'rbac_policy', { object_type: 'network', object_id: networkId, action, target_tenant: target })
  const newPort = () => demo('POST', '/ports', { port: { network_id: lent.id } })
  /** Whoever takes a share back gives its quota back last. */
  const whileTakenBack = (policy: string, ...requests: (() => Promise<{ status: number; type?: string | undefined }>)[]) =>
    inTurn('project_quotas', projects['admin']!, [() => admin('DELETE', `/rbac-policies/${policy}`), ...requests], 'project_id')

  it('is not taken back while somebody makes a port there', async () => {
    const policy = await share(projects['demo']!)
    const answers = await inTurn('subnets', lent.subnetId, [newPort, () => admin('DELETE', `/rbac-policies/${policy}`)])
    expect(statuses(answers)).toEqual([201, '409 RbacPolicyInUse'])
  })

  it('is not made anybody else’s while somebody makes a port there', async () => {
    const policy = await share(projects['demo']!)
    const away = { rbac_policy: { target_tenant: 'somebody' } }
    const answers = await inTurn('subnets', lent.subnetId, [newPort, () => admin('PUT', `/rbac-policies/${policy}`, away)])
    expect(statuses(answers)).toEqual([201, '409 RbacPolicyInUse'])
  })

  it('with everybody is not taken back while somebody makes a port there', async () => {
    await admin('PUT', `/networks/${lent.id}`, { network: { shared: true } })
    const unshare = () => admin('PUT', `/networks/${lent.id}`, { network: { shared: false } })
    const answers = await inTurn('subnets', lent.subnetId, [newPort, unshare])
    expect(statuses(answers)).toEqual([201, '409 InvalidSharedSetting'])
  })

  it('gets no port, and no server, once it is taken back', async () => {
    expect(statuses(await whileTakenBack(await share(projects['demo']!), newPort))).toEqual([204, '404 NetworkNotFound'])
    const compute = computeRequests(api, await api.demo())
    const answers = await whileTakenBack(await share(projects['demo']!), () => newServer(compute, lent.id))
    expect(statuses(answers)).toEqual([204, 400])
    expect(
      await api.database.query('SELECT FROM ports WHERE network_id = $1 AND project_id = $2', [lent.id, projects['demo']]),
    ).toEqual([])
  })

  it('as an external network is kept while a router gets its gateway there', async () => {
    const [subnet] = await api.database.query<{ id: string }>('SELECT id FROM subnets WHERE network_id = $1', [outside])
    const gateway = () => demo('PUT', `/routers/${routerId}`, { router: { external_gateway_info: { network_id: outside } } })
    const inward = () => admin('PUT', `/networks/${outside}`, { network: { 'router:external': false } })
    expect(statuses(await inTurn('subnets', subnet!.id, [gateway, inward]))).toEqual([200, '409 ExternalNetworkInUse'])
  })
})

describe('a group that is just being deleted', () => {
  let group: string
  beforeEach(async () => (group = await made(demo, 'security_group', { name: 'web' })))

  /** Its deletion comes first. */
  const whileDeleted = (request: () => Promise<{ status: number; type?: string | undefined }>) =>
    inTurn('security_groups', group, [() => demo('DELETE', `/security-groups/${group}`), request])

  it('is not there for a port any more, be it new or not', async () => {
    const port = await made(demo, 'port', { network_id: inside.id })
    const put = () => demo('PUT', `/ports/${port}`, { port: { security_groups: [group] } })
    expect(statuses(await whileDeleted(put))).toEqual([204, '404 SecurityGroupNotFound'])
  })

  it('is not there for a rule that names it', async () => {
    const other = await made(demo, 'security_group', { name: 'other' })
    const rule = { security_group_id: other, direction: 'ingress', remote_group_id: group }
    const post = () => demo('POST', '/security-group-rules', { security_group_rule: rule })
    expect(statuses(await whileDeleted(post))).toEqual([204, '404 SecurityGroupNotFound'])
  })

  it('is not there for a server', async () => {
    const compute = computeRequests(api, await api.demo())
    const { id } = (await newServer(compute, inside.id)).body.server
    const add = () => compute('POST', `/servers/${id}/action`, { body: { addSecurityGroup: { name: group } } })
    expect(statuses(await whileDeleted(add))).toEqual([204, 404])
  })
})

describe('who waits for a row that comes first in the order of locks holds none that comes later', () => {
  const isFree = async (table: string, id: string) =>
    await api.database
      .transaction((tx) => tx.query(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE NOWAIT`, [id]))
      .then(
        () => true,
        () => false,
      )

  /** Whether `row` is free while the request waits for `first`. */
  async function isFreeMeanwhile(first: [string, string], request: () => Promise<{ status: number }>, row: [string, string]) {
    let free: boolean | undefined
    const look = async () => {
      free = await isFree(...row)
      return { status: 0 }
    }
    const [answer] = await inTurn(...first, [request, look])
    expect(answer!.status).toBeLessThan(300)
    return free
  }

  it('of a network, then its subnets', async () => {
    const remove = () => demo('DELETE', `/subnets/${inside.subnetId}`)
    expect(await isFreeMeanwhile(['networks', inside.id], remove, ['subnets', inside.subnetId])).toBe(true)
  })

  it('of a network, then its shares', async () => {
    const policy = { object_type: 'network', object_id: inside.id, action: 'access_as_shared', target_tenant: projects['admin'] }
    const id = await made(demo, 'rbac_policy', policy)
    const remove = () => demo('DELETE', `/rbac-policies/${id}`)
    expect(await isFreeMeanwhile(['networks', inside.id], remove, ['network_shares', id])).toBe(true)
  })

  it('of a server, then its ports', async () => {
    const compute = computeRequests(api, await api.demo())
    const { id } = (await newServer(compute, inside.id)).body.server
    const [port] = await api.database.query<{ id: string }>('SELECT id FROM ports WHERE server_id = $1', [id])
    const remove = () => demo('DELETE', `/ports/${port!.id}`)
    expect(await isFreeMeanwhile(['servers', id], remove, ['ports', port!.id])).toBe(true)
  })
})
