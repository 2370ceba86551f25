import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { computeQueue, type NetworkPlan } from '@nubo/contract'
import { QUEUE } from '@nubo/control-plane'
import { claim, raisePlans, readHostPlan } from '@nubo/database'
import { newId, systemRandom, type HostId, type OperationId, type ServerId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { computeRequests } from '../../../testing/compute-requests.js'
import { addHost } from '../../../testing/hosts.js'
import { HostsHint } from '../../../network/hints/hosts-hint.js'
import { networkRequests } from '../../../testing/network-requests.js'
import { TestApi } from '../../../testing/test-api.js'

type Requests = ReturnType<typeof computeRequests>

let api: TestApi
let admin: Requests
let demo: Requests
let network: ReturnType<typeof networkRequests>
let adminNetwork: ReturnType<typeof networkRequests>
let hostId: HostId
const imageRef = newId(systemRandom)

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
  network = networkRequests(api, await api.demo())
  adminNetwork = networkRequests(api, await api.admin())
  hostId = await addHost(api.database, { name: 'host-1' })
  await api.database.execute(
    `INSERT INTO images (id, project_id, name, status, visibility, disk_format, container_format, size_bytes, virtual_bytes)
     VALUES ($1, 'somebody', 'guest', 'active', 'public', 'raw', 'bare', 1048576, 1048576)`,
    [imageRef],
  )
})
afterAll(() => api?.stop())
beforeEach(() =>
  api.database.execute(
    'TRUNCATE networks, ports, security_groups, servers, operations, operation_steps, allocations, project_quotas CASCADE',
  ),
)

const post = (by: Requests, server: Record<string, unknown>, version = '2.96') =>
  by('POST', '/servers', { version, body: { server: { name: 'guest', imageRef, flavorRef: '1', ...server } } })

/** What is given out by chance, to DHCP too, is above the addresses that are asked for by name. */
const usual = { cidr: '10.0.0.0/24', allocation_pools: [{ start: '10.0.0.128', end: '10.0.0.254' }] }

async function newNetwork(name: string, { by = network, cidr, ...more }: Record<string, unknown> & { by?: typeof network } = {}) {
  const made = (await by('POST', '/networks', { network: { name, ...more } })).body.network
  const subnet = { network_id: made.id, ip_version: 4, ...(cidr === undefined ? usual : { cidr }) }
  expect((await by('POST', '/subnets', { subnet })).status).toBe(201)
  return made.id as string
}

async function created(server: Record<string, unknown>, version?: string): Promise<ServerId> {
  const answer = await post(demo, server, version)
  expect(answer).toMatchObject({ status: 202 })
  return answer.body.server.id
}

/** As a scheduler and a host would. */
async function run(serverId: ServerId): Promise<void> {
  const operationId = newId<OperationId>(systemRandom)
  await api.database.transaction((tx) => claim(tx, { serverId, operationId, hostId, fencingEpoch: 1, decision: {} }))
  await api.database.execute(
    `UPDATE servers SET vm_state = 'active', task_state = NULL, power_state = 1, launched_at = now() WHERE id = $1`,
    [serverId],
  )
  await endOperations(serverId)
}

async function endOperations(serverId: ServerId): Promise<void> {
  await api.database.execute(
    `UPDATE operation_steps SET state = 'done' WHERE operation_id IN (SELECT id FROM operations WHERE server_id = $1)`,
    [serverId],
  )
  await api.database.execute(`UPDATE operations SET state = 'done' WHERE server_id = $1`, [serverId])
}

const show = async (id: string) => (await demo('GET', `/servers/${id}`)).body.server
const interfaces = async (id: string) => (await demo('GET', `/servers/${id}/os-interface`)).body.interfaceAttachments
const ports = () =>
  api.database.query<{ id: string; serverId: string | null; status: string; address: string }>(
    `SELECT p.id, server_id AS "serverId", status, (SELECT host(address) FROM port_addresses a WHERE a.port_id = p.id LIMIT 1) AS address
     FROM ports p WHERE device_owner <> 'network:dhcp' AND gone_at IS NULL ORDER BY server_id, device_index`,
  )

describe('a new server', () => {
  it('has an interface on each network that is named, in their order, with the addresses and the groups asked for', async () => {
    const [first, second] = [await newNetwork('one'), await newNetwork('two', { cidr: '10.1.0.0/24' })]
    const id = await created({ networks: [{ uuid: second }, { uuid: first, fixed_ip: '10.0.0.77', tag: 'front' }] })
    const server = await show(id)
    expect(Object.keys(server.addresses)).toEqual(['two', 'one'])
    expect(server.addresses.one).toEqual([
      {
        version: 4,
        addr: '10.0.0.77',
        'OS-EXT-IPS:type': 'fixed',
        'OS-EXT-IPS-MAC:mac_addr': expect.stringMatching(/^fa:16:3e/),
      },
    ])
    expect(server.security_groups).toEqual([{ name: 'default' }])
    expect(await interfaces(id)).toMatchObject([
      { net_id: second, port_state: 'DOWN', tag: null },
      { net_id: first, fixed_ips: [{ ip_address: '10.0.0.77' }], tag: 'front' },
    ])
  })

  it.each(['auto', undefined])('is put on the only network that there is, where nothing is said: %s', async (networks) => {
    const only = await newNetwork('only')
    const id = await created({ networks }, networks === undefined ? '2.36' : '2.96')
    expect(await interfaces(id)).toMatchObject([{ net_id: only }])
    await newNetwork('another', { cidr: '10.1.0.0/24' })
    expect(await post(demo, { networks }, networks === undefined ? '2.36' : '2.96')).toMatchObject({
      status: 409,
      message: 'Multiple possible networks found, use a Network ID to be more specific.',
    })
  })

  it('is put on no network of others, nor on one that nobody can be on', async () => {
    await newNetwork('outside', { by: adminNetwork, 'router:external': true, cidr: '192.0.2.0/24' })
    expect((await show(await created({ networks: [] }))).addresses).toEqual({})
    const { id } = (await network('POST', '/networks', { network: {} })).body.network
    const message = `Network ${id} requires a subnet in order to boot instances on.`
    for (const networks of ['auto', []]) expect(await post(demo, { networks })).toMatchObject({ status: 400, message })
  })

  it('that is to be put on some network is refused where there is none that is up', async () => {
    const message = expect.stringContaining('Unable to automatically allocate a network for project')
    expect(await post(demo, { networks: 'auto' })).toMatchObject({ status: 400, message })
    await newNetwork('down', { admin_state_up: false })
    expect(await post(demo, { networks: 'auto' })).toMatchObject({ status: 400, message })
  })

  it('says which networks it wants, from 2.37 on', async () => {
    expect(await post(demo, {}, '2.37')).toMatchObject({
      status: 400,
      message: expect.stringContaining("'networks' is a required property"),
    })
    expect(await post(demo, { networks: 'none' }, '2.36')).toMatchObject({ status: 400 })
  })

  it('has none where none is wanted, and where nothing is said and there is no network', async () => {
    expect((await show(await created({}, '2.36'))).addresses).toEqual({})
    await newNetwork('one')
    const server = await show(await created({ networks: 'none' }))
    expect(server.addresses).toEqual({})
    expect(server.security_groups).toBeUndefined()
  })

  it('takes a port of its tenant, which stays when it goes', async () => {
    const net = await newNetwork('one')
    const port = await portOn(net)
    const id = await created({ networks: [{ port }] })
    expect(await interfaces(id)).toMatchObject([{ port_id: port }])
    expect(await post(demo, { networks: [{ port }] })).toMatchObject({ status: 409, message: `Port ${port} is still in use.` })
    expect((await demo('DELETE', `/servers/${id}`)).status).toBe(204)
    expect(await ports()).toEqual([{ id: port, serverId: null, status: 'DOWN', address: expect.any(String) }])
  })

  it('of several has an address of its own, and all of them are made or none', async () => {
    const net = await newNetwork('one', { cidr: '10.0.0.0/29' })
    expect((await post(demo, { networks: [{ uuid: net }], min_count: 3, max_count: 3 })).status).toBe(202)
    expect(new Set((await ports()).map(({ address }) => address)).size).toBe(3)
    expect((await post(demo, { networks: [{ uuid: net }], min_count: 3, max_count: 3 })).status).toBe(400)
    expect(await ports()).toHaveLength(3)
  })

  it('is refused where its project may have no more ports, and nothing of it is left', async () => {
    const net = await newNetwork('one')
    await api.database.execute(`UPDATE project_quotas SET limits = limits || '{"port": 1}'`)
    const before = (await ports()).length
    const answers = [await post(demo, { networks: [{ uuid: net }] }), await post(demo, { networks: [{ uuid: net }] })]
    expect(answers.map(({ status }) => status)).toContain(403)
    expect(answers.find(({ status }) => status === 403)!.message).toBe('Maximum number of ports exceeded')
    expect((await ports()).length).toBeLessThanOrEqual(before + 1)
    expect((await demo('GET', '/servers')).body.servers.length).toBe((await ports()).length)
  })

  it('makes fewer where there is quota for fewer, each with its port and no port more', async () => {
    const net = await newNetwork('one')
    await api.database.execute(`UPDATE project_quotas SET limits = limits || '{"instances": 2}'`)
    expect((await post(demo, { networks: [{ uuid: net }], min_count: 1, max_count: 4 })).status).toBe(202)
    expect((await demo('GET', '/servers')).body.servers).toHaveLength(2)
    expect(await ports()).toHaveLength(2)
  })

  it('asks for the ports of those alone that there is quota for', async () => {
    const net = await newNetwork('one')
    await api.database.execute(`UPDATE project_quotas SET limits = limits || '{"instances": 2, "port": 3}'`)
    expect((await post(demo, { networks: [{ uuid: net }], min_count: 1, max_count: 1000 })).status).toBe(202)
    expect((await demo('GET', '/servers')).body.servers).toHaveLength(2)
  })

  it.each([
    ['a network that is not there', { uuid: newId(systemRandom) }, 400, /^Network .* could not be found\.$/],
    ['a port that is not there', { port: newId(systemRandom) }, 400, /^Port id .* could not be found\.$/],
    ['no network and no port', { tag: 'x' }, 400, /^Bad networks format/],
    ['an address that is none', { uuid: 'here', fixed_ip: 'x' }, 400, 'Invalid fixed IP address (x)'],
    ['an address of another network', { uuid: 'here', fixed_ip: '192.0.2.1' }, 400, /192\.0\.2\.1/],
  ])('is refused with %s, in words', async (_, wish, status, message) => {
    const net = await newNetwork('one')
    const answer = await post(demo, { networks: ['uuid' in wish && wish.uuid === 'here' ? { ...wish, uuid: net } : wish] })
    expect(answer.status).toBe(status)
    expect(answer.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
    expect(await ports()).toEqual([])
  })

  it('is refused more interfaces than a guest has places for, before any is made', async () => {
    const net = await newNetwork('one')
    const networks = Array.from({ length: 65 }, () => ({ uuid: net }))
    expect(await post(demo, { networks })).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^Invalid input for field.attribute networks/),
    })
  })

  it('is refused an address that another has', async () => {
    const net = await newNetwork('one')
    const networks = [{ uuid: net, fixed_ip: '10.0.0.9' }]
    await created({ networks })
    expect(await post(demo, { networks })).toMatchObject({
      status: 400,
      message: 'Fixed IP address 10.0.0.9 is already in use.',
    })
  })

  it("is refused what is another tenant's, and put on what is shared", async () => {
    const hidden = await newNetwork('hidden', { by: adminNetwork })
    expect((await post(demo, { networks: [{ uuid: hidden }] })).status).toBe(400)
    const shared = await newNetwork('shared', { by: adminNetwork, shared: true, cidr: '10.2.0.0/24' })
    await created({ networks: [{ uuid: shared }] })
    const outside = await newNetwork('outside', { by: adminNetwork, 'router:external': true, cidr: '192.0.2.0/24' })
    expect(await post(demo, { networks: [{ uuid: outside }] })).toMatchObject({ status: 403 })
  })

  it("takes an address by name on its own tenant's networks alone", async () => {
    const shared = await newNetwork('shared', { by: adminNetwork, shared: true, cidr: '10.2.0.0/24' })
    const networks = [{ uuid: shared, fixed_ip: '10.2.0.1' }]
    expect(await post(demo, { networks })).toMatchObject({ status: 403, message: expect.stringContaining(shared) })
    expect(await ports()).toEqual([])
    expect((await post(admin, { networks })).status).toBe(202)
  })

  it('has no guard, and is in no groups, where its network has none', async () => {
    const net = await newNetwork('open', { port_security_enabled: false })
    await network('POST', '/security-groups', { security_group: { name: 'web' } })
    const id = await created({ networks: [{ uuid: net }], security_groups: [{ name: 'web' }] })
    const [{ port_id: port }] = await interfaces(id)
    const seen = async () => (await network('GET', `/ports/${port}`)).body.port
    expect(await seen()).toMatchObject({ port_security_enabled: false, security_groups: [] })
    const add = { addSecurityGroup: { name: 'web' } }
    expect((await demo('POST', `/servers/${id}/action`, { body: add })).status).toBe(202)
    expect(await seen()).toMatchObject({ security_groups: [] })
  })

  it('takes no tag for a network in the versions that know none', async () => {
    const networks = [{ uuid: await newNetwork('one'), tag: 'front' }]
    for (const version of ['2.31', '2.41']) expect((await post(demo, { networks }, version)).status).toBe(400)
    for (const version of ['2.32', '2.42']) expect((await post(demo, { networks }, version)).status).toBe(202)
  })

  it('is in the groups that it names, and in none that is not there', async () => {
    const net = await newNetwork('one')
    const { id } = (await network('POST', '/security-groups', { security_group: { name: 'web' } })).body.security_group
    for (const name of ['web', id]) {
      const server = await show(await created({ networks: [{ uuid: net }], security_groups: [{ name }] }))
      expect(server.security_groups).toEqual([{ name: 'web' }])
    }
    const refused = await post(demo, { networks: [{ uuid: net }], security_groups: [{ name: 'no' }] })
    expect(refused).toMatchObject({ status: 400, message: 'Security group no not found.' })
  })
})

describe("a server's addresses", () => {
  it('are told by network, and servers are found by them', async () => {
    const net = await newNetwork('one')
    const [near, far] = await Promise.all(
      ['10.0.0.7', '10.0.0.99'].map((address) => created({ networks: [{ uuid: net, fixed_ip: address }] })),
    )
    expect((await demo('GET', `/servers/${near}/ips`)).body).toEqual({ addresses: { one: [{ version: 4, addr: '10.0.0.7' }] } })
    expect((await demo('GET', `/servers/${near}/ips/one`)).body).toEqual({ one: [{ version: 4, addr: '10.0.0.7' }] })
    expect(await demo('GET', `/servers/${near}/ips/two`)).toMatchObject({ status: 404, message: 'Network not found' })
    const found = async (query: string) =>
      (await demo('GET', `/servers/detail?${query}`)).body.servers.map(({ id }: { id: string }) => id).toSorted()
    expect(await found('ip=10.0.0.9')).toEqual([far])
    expect(await found('ip=10.0.0')).toEqual([near, far].toSorted())
    expect(await found('ip6=10.0.0')).toEqual([])
    expect((await demo('GET', '/servers?ip=(')).status).toBe(400)
  })

  it('hold the floating ones after the fixed', async () => {
    const net = await newNetwork('one')
    const id = await created({ networks: [{ uuid: net, fixed_ip: '10.0.0.7' }] })
    const outside = await newNetwork('outside', { by: adminNetwork, 'router:external': true, cidr: '192.0.2.0/24' })
    const [{ port_id: port }] = await interfaces(id)
    await api.database.execute(
      `WITH held AS (INSERT INTO ports (id, network_id, project_id, mac, device_owner) VALUES (gen_random_uuid(), $1, '', 'fa:16:3e:ff:ff:ff', 'network:floatingip') RETURNING id)
       INSERT INTO floating_ips (id, project_id, port_id, address, network_id, fixed_port_id, fixed_address)
       SELECT gen_random_uuid(), 'p', id, '192.0.2.50', $1, $2, '10.0.0.7' FROM held`,
      [outside, port],
    )
    expect((await show(id)).addresses.one.map((each: Record<string, unknown>) => [each.addr, each['OS-EXT-IPS:type']])).toEqual([
      ['10.0.0.7', 'fixed'],
      ['192.0.2.50', 'floating'],
    ])
  })
})

describe('what the host of a server tells its guest', () => {
  /** What it carries when all that changed was told. */
  async function told(): Promise<NetworkPlan['ports'][number]> {
    await raisePlans(api.database)
    return (await readHostPlan(api.database, hostId))!.ports[0]!
  }

  it('follows the floating IP that leads there, and the metadata and the name of the server', async () => {
    const net = await newNetwork('one')
    const id = await created({ networks: [{ uuid: net, fixed_ip: '10.0.0.7' }] })
    await run(id)
    const [{ port_id: port }] = await interfaces(id)
    const outside = await newNetwork('outside', { by: adminNetwork, 'router:external': true, cidr: '192.0.2.0/24' })
    const router = (await network('POST', '/routers', { router: { external_gateway_info: { network_id: outside } } })).body.router
    const [subnet] = (await network('GET', `/subnets?network_id=${net}`)).body.subnets
    await network('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
    expect(await told()).toMatchObject({ publicIpv4: null, serverMetadata: {} })

    const floatingip = { floating_network_id: outside, port_id: port }
    const made = (await network('POST', '/floatingips', { floatingip })).body.floatingip
    expect(await told()).toMatchObject({ publicIpv4: made.floating_ip_address })
    const change = async (port_id: string | null) =>
      expect((await network('PUT', `/floatingips/${made.id}`, { floatingip: { port_id } })).status).toBe(200)
    await change(null)
    expect(await raisedBy(told)).toMatchObject({ publicIpv4: null })
    await change(port)
    expect(await raisedBy(told)).toMatchObject({ publicIpv4: made.floating_ip_address })
    expect((await network('DELETE', `/floatingips/${made.id}`)).status).toBe(204)
    expect(await raisedBy(told)).toMatchObject({ publicIpv4: null })

    await demo('POST', `/servers/${id}/metadata`, { body: { metadata: { role: 'web' } } })
    expect(await raisedBy(told)).toMatchObject({ serverMetadata: { role: 'web' } })
    expect((await demo('DELETE', `/servers/${id}/metadata/role`)).status).toBe(204)
    expect(await raisedBy(told)).toMatchObject({ serverMetadata: {} })
    expect((await demo('PUT', `/servers/${id}`, { body: { server: { hostname: 'renamed' } } })).status).toBe(200)
    expect(await raisedBy(told)).toMatchObject({ hostname: 'renamed' })
  })

  /** What is read after the host's plan was raised, which must be: a plan that is not raised is told to nobody. */
  async function raisedBy<T>(read: () => Promise<T>): Promise<T> {
    const wanted = async () =>
      (await api.database.query<{ wanted: number }>('SELECT wanted FROM host_networks WHERE host_id = $1', [hostId]))[0]!.wanted
    const before = await wanted()
    const found = await read()
    expect(await wanted()).toBeGreaterThan(before)
    return found
  }
})

describe('the interfaces of a server that runs', () => {
  async function running(): Promise<{ id: ServerId; net: string }> {
    const net = await newNetwork('one')
    const id = await created({ networks: [{ uuid: net }] })
    await run(id)
    return { id, net }
  }

  const attach = (id: string, interfaceAttachment: Record<string, unknown>, version?: string) =>
    demo('POST', `/servers/${id}/os-interface`, { ...(version && { version }), body: { interfaceAttachment } })

  it('are bound with it to its host', async () => {
    const { id } = await running()
    expect(await interfaces(id)).toMatchObject([{ port_state: 'BUILD' }])
  })

  it('become more by a network, an address or a port, by an operation each', async () => {
    const { id, net } = await running()
    const made = await attach(id, { net_id: net, fixed_ips: [{ ip_address: '10.0.0.50' }], tag: 'back' })
    expect(made).toMatchObject({
      status: 200,
      body: { interfaceAttachment: { net_id: net, fixed_ips: [{ ip_address: '10.0.0.50' }], port_state: 'BUILD', tag: 'back' } },
    })
    expect((await attach(id, { net_id: net })).status).toBe(409)
    await endOperations(id)
    const port = await portOn(net)
    expect((await attach(id, { port_id: port }, '2.48')).body.interfaceAttachment).toMatchObject({ port_id: port })
    expect((await interfaces(id)).map(({ port_id: each }: { port_id: string }) => each).at(-1)).toBe(port)
    const actions = (await demo('GET', `/servers/${id}/os-instance-actions`)).body.instanceActions
    expect(actions.map(({ action }: { action: string }) => action)).toContain('attach_interface')
  })

  it('are shown one by one, and not where there is none', async () => {
    const { id } = await running()
    const [one] = await interfaces(id)
    expect((await demo('GET', `/servers/${id}/os-interface/${one.port_id}`)).body).toEqual({ interfaceAttachment: one })
    expect((await demo('GET', `/servers/${id}/os-interface/${newId(systemRandom)}`)).status).toBe(404)
    expect(
      (await demo('GET', `/servers/${id}/os-interface`, { version: '2.69' })).body.interfaceAttachments[0],
    ).not.toHaveProperty('tag')
  })

  it('are taken off by an operation', async () => {
    const { id } = await running()
    const [one] = await interfaces(id)
    expect((await demo('DELETE', `/servers/${id}/os-interface/${newId(systemRandom)}`)).status).toBe(404)
    expect((await demo('DELETE', `/servers/${id}/os-interface/${one.port_id}`)).status).toBe(202)
    const [operation] = await api.database.query<{ kind: string; input: unknown }>(
      `SELECT kind, input FROM operations WHERE server_id = $1 AND state = 'running'`,
      [id],
    )
    expect(operation).toEqual({ kind: 'server.detach-interface', input: { portId: one.port_id } })
  })

  it('are taken off at once when their ports are deleted, and not when somebody looks for what is due', async () => {
    const { id } = await running()
    const [{ port_id: port }] = await interfaces(id)
    const queue = api.app.get<Queue>(QUEUE)
    const before = await queue.depth(computeQueue(hostId))
    expect((await network('DELETE', `/ports/${port}`)).status).toBe(204)
    expect(await queue.depth(computeQueue(hostId))).toBe(before + 1)
  })

  it('are told of at once where something else is being done when their ports are deleted: it may wait for them', async () => {
    const { id } = await running()
    const [{ port_id: port }] = await interfaces(id)
    expect((await demo('POST', `/servers/${id}/action`, { body: { reboot: { type: 'HARD' } } })).status).toBe(202)
    const queue = api.app.get<Queue>(QUEUE)
    const before = await queue.depth(computeQueue(hostId))
    expect((await network('DELETE', `/ports/${port}`)).status).toBe(204)
    expect(await queue.depth(computeQueue(hostId))).toBe(before + 1)
  })

  it('are taken off too when their ports are deleted, whose addresses stay held until the host has let go', async () => {
    const { id } = await running()
    const [{ port_id: port, fixed_ips: addresses }] = await interfaces(id)
    expect((await network('DELETE', `/ports/${port}`)).status).toBe(204)
    expect(await interfaces(id)).toEqual([])
    const [operation] = await api.database.query<{ kind: string; input: unknown }>(
      `SELECT kind, input FROM operations WHERE server_id = $1 AND state = 'running'`,
      [id],
    )
    expect(operation).toEqual({ kind: 'server.detach-interface', input: { portId: port } })
    const held = await api.database.query('SELECT host(address) AS ip_address FROM port_addresses WHERE port_id = $1', [port])
    expect(held).toMatchObject([{ ip_address: addresses[0].ip_address }])
  })

  it.each([
    [{ net_id: 'net', port_id: newId(systemRandom) }, 400, 'Must not input both network_id and port_id'],
    [{ fixed_ips: [{ ip_address: '10.0.0.50' }] }, 400, 'Must input network_id when request IP address'],
    [{ port_id: newId(systemRandom) }, 404, expect.stringContaining('could not be found')],
    [{ net_id: newId(systemRandom) }, 404, expect.stringContaining('could not be found')],
  ])('are not added by %j', async (wish, status, message) => {
    const { id, net } = await running()
    const answer = await attach(id, 'net_id' in wish && wish.net_id === 'net' ? { ...wish, net_id: net } : wish)
    expect(answer).toMatchObject({ status, message })
  })

  it('are not changed while it is not there for that, or is locked', async () => {
    const id = await created({ networks: [{ uuid: await newNetwork('one') }] })
    expect((await attach(id, {})).status).toBe(409)
  })

  it('are put into groups and taken out of them', async () => {
    const { id } = await running()
    await network('POST', '/security-groups', { security_group: { name: 'web' } })
    const act = (name: string, group: string) => demo('POST', `/servers/${id}/action`, { body: { [name]: { name: group } } })
    for (let time = 0; time < 2; time++) expect((await act('addSecurityGroup', 'web')).status).toBe(202)
    expect((await show(id)).security_groups).toEqual([{ name: 'default' }, { name: 'web' }])
    const groups = (await demo('GET', `/servers/${id}/os-security-groups`)).body.security_groups
    expect(groups.map(({ name }: { name: string }) => name)).toEqual(['default', 'web'])
    expect((await act('removeSecurityGroup', 'default')).status).toBe(202)
    expect((await show(id)).security_groups).toEqual([{ name: 'web' }])
    expect((await act('removeSecurityGroup', 'default')).status).toBe(404)
    expect((await act('addSecurityGroup', 'no')).status).toBe(404)
  })

  it('are in groups of one kind, be they stateful or stateless', async () => {
    const net = await newNetwork('one')
    for (const [name, stateful] of [
      ['web', true],
      ['bare', false],
    ] as const)
      await network('POST', '/security-groups', { security_group: { name, stateful } })
    const both = [{ name: 'web' }, { name: 'bare' }]
    const mixed = { status: 409, message: expect.stringContaining('both stateful and stateless') }
    expect(await post(demo, { networks: [{ uuid: net }], security_groups: both })).toMatchObject(mixed)
    const id = await created({ networks: [{ uuid: net }], security_groups: [{ name: 'bare' }] })
    const add = { addSecurityGroup: { name: 'web' } }
    expect(await demo('POST', `/servers/${id}/action`, { body: add })).toMatchObject(mixed)
    expect((await show(id)).security_groups).toEqual([{ name: 'bare' }])
  })

  it("are none of another project's ports, whoever plugs them in", async () => {
    const { id, net } = await running()
    const other = await newNetwork('other', { by: adminNetwork, cidr: '10.3.0.0/24' })
    const foreign = (await adminNetwork('POST', '/ports', { port: { network_id: other } })).body.port.id
    const refused = { status: 400, message: expect.stringContaining(`Port ${foreign} not usable`) }
    const plug = (portId: string) =>
      admin('POST', `/servers/${id}/os-interface`, { body: { interfaceAttachment: { port_id: portId } } })
    expect(await plug(foreign)).toMatchObject(refused)
    const own = await portOn(net)
    expect(await post(admin, { networks: [{ port: own }] })).toMatchObject({ status: 400 })
    expect(await plug(own)).toMatchObject({ status: 200 })
  })

  it('are given one address more, and have it taken away, until 2.44', async () => {
    const { id, net } = await running()
    const act = (body: Record<string, unknown>, version = '2.43') => demo('POST', `/servers/${id}/action`, { version, body })
    const addresses = async () =>
      (await interfaces(id))[0].fixed_ips.map(({ ip_address: address }: { ip_address: string }) => address)
    const [first] = await addresses()
    const hint = jest.spyOn(api.app.get(HostsHint), 'cast').mockReturnValue()
    expect((await act({ addFixedIp: { networkId: net } })).status).toBe(202)
    const [kept, added] = await addresses()
    expect([kept, added]).toEqual([first, expect.stringMatching(/^10\.0\.0\.\d+$/)])
    expect((await act({ removeFixedIp: { address: first } })).status).toBe(202)
    expect(await addresses()).toEqual([added])
    // One that was being gathered before may come as well.
    expect(hint.mock.calls.length).toBeGreaterThanOrEqual(2)
    hint.mockRestore()
    expect(await act({ removeFixedIp: { address: first } })).toMatchObject({ status: 400 })
    expect(await act({ addFixedIp: { networkId: newId(systemRandom) } })).toMatchObject({ status: 404 })
    expect(await act({ addFixedIp: { networkId: net } }, '2.44')).toMatchObject({ status: 404 })
  })

  it("are nobody else's", async () => {
    const { id } = await running()
    await api.database.execute(`UPDATE servers SET project_id = 'another' WHERE id = $1`, [id])
    expect((await demo('GET', `/servers/${id}/os-interface`)).status).toBe(404)
    expect((await attach(id, {})).status).toBe(404)
    expect((await admin('GET', `/servers/${id}/os-interface`)).status).toBe(200)
  })
})

/** A port of the tenant's own, as the network service makes it. */
async function portOn(networkId: string): Promise<string> {
  const made = await network('POST', '/ports', { port: { network_id: networkId } })
  expect(made.status).toBe(201)
  return made.body.port.id
}
