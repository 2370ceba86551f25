import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createPorts } from '@nubo/database'
import { newId, systemRandom, type PortId } from '@nubo/kernel'
import { addHost } from '../../testing/hosts.js'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let demoProject: string
let outside: string
let inside: { networkId: string; subnetId: string }
let routerId: string

beforeAll(async () => {
  ;({ api, admin, demo, demoProject } = await startNetworkApi())
})
beforeEach(async () => {
  await api.database.execute('TRUNCATE networks, subnets, ports, routers, floating_ips, network_changes, project_quotas CASCADE')
  outside = (await admin('POST', '/networks', { network: { name: 'outside', 'router:external': true } })).body.network.id
  const external = { network_id: outside, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false }
  await admin('POST', '/subnets', { subnet: { ...external, allocation_pools: poolOf('203.0.113') } })
  inside = await newNetwork('10.0.0.0/24')
  routerId = await newRouter()
})
afterAll(() => api?.stop())

/** What is given out by chance, to DHCP too, is none of the addresses that are asked for by name. */
const poolOf = (prefix: string) => [{ start: `${prefix}.100`, end: `${prefix}.199` }]

async function newNetwork(cidr: string) {
  const { network } = (await demo('POST', '/networks', { network: {} })).body
  const [prefix] = cidr.split(/\.\d+\//) as [string]
  const subnet = { network_id: network.id, ip_version: 4, cidr, allocation_pools: poolOf(prefix) }
  return { networkId: network.id as string, subnetId: (await demo('POST', '/subnets', { subnet })).body.subnet.id as string }
}
const newRouter = async (router: Record<string, unknown> = {}) =>
  (await demo('POST', '/routers', { router })).body.router.id as string
const update = (router: Record<string, unknown>, by = demo) => by('PUT', `/routers/${routerId}`, { router })
const connect = (body: Record<string, unknown>, id = routerId) => demo('PUT', `/routers/${id}/add_router_interface`, body)
const disconnect = (body: Record<string, unknown>) => demo('PUT', `/routers/${routerId}/remove_router_interface`, body)
const withGateway = () => update({ external_gateway_info: { network_id: outside } })

async function newPort(networkId = inside.networkId, more: Record<string, unknown> = {}): Promise<string> {
  const port = { id: newId<PortId>(systemRandom), networkId, projectId: demoProject, ...more }
  await api.database.transaction((tx) => createPorts(tx, [port], systemRandom))
  return port.id
}
const changesOf = async (subject: string) =>
  (await api.database.query<{ id: string }>('SELECT subject_id AS id FROM network_changes WHERE subject = $1', [subject])).map(
    ({ id }) => id,
  )
const portsOf = (owner: string) =>
  api.database.query<{ id: string; project_id: string; gone: boolean }>(
    'SELECT id, project_id, gone_at IS NOT NULL AS gone FROM ports WHERE device_owner = $1',
    [owner],
  )

describe('a router', () => {
  it('is made, changed, listed and deleted', async () => {
    const made = await demo('POST', '/routers', { router: { name: 'r', admin_state_up: false } })
    expect(made).toMatchObject({
      status: 201,
      body: { router: { name: 'r', admin_state_up: false, external_gateway_info: null } },
    })
    const { router } = made.body
    expect(router).toMatchObject({ status: 'ACTIVE', routes: [], project_id: demoProject, availability_zones: ['nova'] })
    expect((await demo('PUT', `/routers/${router.id}`, { router: { admin_state_up: true } })).body.router.admin_state_up).toBe(
      true,
    )
    expect((await demo('GET', '/routers?name=r&fields=id')).body).toEqual({ routers: [{ id: router.id }] })
    expect(await changesOf('router')).toContain(router.id)
    expect((await demo('DELETE', `/routers/${router.id}`)).status).toBe(204)
    expect(await demo('GET', `/routers/${router.id}`)).toMatchObject({ status: 404, type: 'RouterNotFound' })
  })

  it('has a gateway on an external network, and lets go of it', async () => {
    const { body } = await withGateway()
    expect(body.router.external_gateway_info).toEqual({
      network_id: outside,
      enable_snat: true,
      external_fixed_ips: [{ subnet_id: expect.any(String), ip_address: expect.stringMatching(/^203\.0\.113\./) }],
    })
    expect(await portsOf('network:router_gateway')).toMatchObject([{ project_id: '' }])
    expect(await admin('DELETE', `/networks/${outside}`)).toMatchObject({ status: 409, type: 'NetworkInUse' })
    const same = await update({ external_gateway_info: { network_id: outside, enable_snat: false } }, admin)
    expect(same.body.router.external_gateway_info).toEqual({ ...body.router.external_gateway_info, enable_snat: false })
    expect((await update({ external_gateway_info: {} })).body.router.external_gateway_info).toBe(null)
    expect(await portsOf('network:router_gateway')).toEqual([])
  })

  it('takes the addresses that an operator names', async () => {
    const wanted = { network_id: outside, external_fixed_ips: [{ ip_address: '203.0.113.77' }] }
    expect((await update({ external_gateway_info: wanted })).status).toBe(403)
    const { router } = (await update({ external_gateway_info: wanted }, admin)).body
    expect(router.external_gateway_info.external_fixed_ips).toMatchObject([{ ip_address: '203.0.113.77' }])
    const taken = await admin('POST', '/routers', { router: { external_gateway_info: wanted } })
    expect(taken).toMatchObject({ status: 409, type: 'IpAddressAlreadyAllocated' })
  })

  it('refuses what is no external network', async () => {
    expect(await update({ external_gateway_info: { network_id: inside.networkId } })).toMatchObject({
      status: 400,
      message: `Bad router request: Network ${inside.networkId} is not an external network.`,
    })
    expect(await update({ external_gateway_info: { network_id: newId(systemRandom) } })).toMatchObject({
      status: 404,
      type: 'NetworkNotFound',
    })
    expect((await update({ external_gateway_info: { network_id: outside, colour: 'red' } })).status).toBe(400)
  })

  it('connects a subnet, whose gateway it becomes, and is kept by it', async () => {
    const added = await connect({ subnet_id: inside.subnetId })
    expect(added).toMatchObject({
      status: 200,
      body: { id: routerId, subnet_id: inside.subnetId, subnet_ids: [inside.subnetId], network_id: inside.networkId },
    })
    const [port] = await api.database.query('SELECT host(address) AS address FROM port_addresses WHERE port_id = $1', [
      added.body.port_id,
    ])
    expect(port).toEqual({ address: '10.0.0.1' })
    expect(await demo('DELETE', `/routers/${routerId}`)).toMatchObject({ status: 409, type: 'RouterInUse' })
    expect(await demo('DELETE', `/subnets/${inside.subnetId}`)).toMatchObject({ status: 409, type: 'SubnetInUse' })
    expect(await demo('PUT', `/subnets/${inside.subnetId}`, { subnet: { gateway_ip: '10.0.0.2' } })).toMatchObject({
      status: 409,
      type: 'GatewayIpInUse',
    })
    expect(await connect({ subnet_id: inside.subnetId })).toMatchObject({ status: 400 })
    expect((await disconnect({ subnet_id: inside.subnetId })).body).toEqual(added.body)
    expect(await portsOf('network:router_interface')).toEqual([])
    expect((await demo('DELETE', `/routers/${routerId}`)).status).toBe(204)
    expect(await changesOf('network')).toContain(inside.networkId)
  })

  it('connects a port that is free', async () => {
    const portId = await newPort()
    expect((await connect({ port_id: portId })).body).toMatchObject({ port_id: portId, subnet_ids: [inside.subnetId] })
    expect(await connect({ port_id: portId }, await newRouter())).toMatchObject({ status: 409, type: 'PortInUse' })
    expect(await disconnect({ port_id: portId, subnet_id: newId(systemRandom) })).toMatchObject({
      status: 409,
      type: 'SubnetMismatchForPort',
    })
    expect((await disconnect({ port_id: portId })).status).toBe(200)
    expect(await disconnect({ port_id: portId })).toMatchObject({ status: 404, type: 'RouterInterfaceNotFound' })
    expect(await disconnect({ subnet_id: inside.subnetId })).toMatchObject({
      status: 404,
      type: 'RouterInterfaceNotFoundForSubnet',
    })
  })

  it('has another address where its port is given one', async () => {
    const { port_id: portId } = (await connect({ subnet_id: inside.subnetId })).body
    const other = [{ subnet_id: inside.subnetId, ip_address: '10.0.0.200' }]
    expect((await demo('PUT', `/ports/${portId}`, { port: { fixed_ips: other } })).body.port.fixed_ips).toEqual(other)
  })

  it('becomes the gateway of a network that is shared with its project, and of none that is shared with everybody', async () => {
    const { network } = (await admin('POST', '/networks', { network: { shared: true } })).body
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' }
    const { id } = (await admin('POST', '/subnets', { subnet })).body.subnet
    expect(await connect({ subnet_id: id })).toMatchObject({
      status: 400,
      type: 'BadRequest',
      message: expect.stringContaining(`because subnet ${id} is not owned by project making the request`),
    })
    const share = { object_type: 'network', object_id: network.id, action: 'access_as_shared', target_tenant: demoProject }
    expect((await admin('POST', '/rbac-policies', { rbac_policy: share })).status).toBe(201)
    expect((await connect({ subnet_id: id })).status).toBe(200)
  })

  it('connects nothing that overlaps', async () => {
    const other = await newNetwork('10.0.0.0/16')
    await connect({ subnet_id: inside.subnetId })
    expect(await connect({ subnet_id: other.subnetId })).toMatchObject({
      status: 400,
      type: 'BadRequest',
      message: expect.stringContaining('overlaps with cidr 10.0.0.0/24'),
    })
    expect(await connect({ subnet_id: inside.subnetId, port_id: inside.subnetId })).toMatchObject({ status: 400 })
    expect(await connect({})).toMatchObject({ status: 400, type: 'BadRequest' })
    expect(await connect({ subnet_id: newId(systemRandom) })).toMatchObject({ status: 404, type: 'SubnetNotFound' })
    expect(await connect({ port_id: newId(systemRandom) })).toMatchObject({ status: 404, type: 'PortNotFound' })
    const none = await newNetwork('10.5.0.0/24')
    await demo('PUT', `/subnets/${none.subnetId}`, { subnet: { gateway_ip: null } })
    expect(await connect({ subnet_id: none.subnetId })).toMatchObject({ status: 400 })
  })

  it('has routes by what it is connected to', async () => {
    await connect({ subnet_id: inside.subnetId })
    const route = (nexthop: string, destination = '192.0.2.0/24') => ({ destination, nexthop })
    expect((await update({ routes: [route('10.0.0.9')] })).body.router.routes).toEqual([route('10.0.0.9')])
    for (const nexthop of ['10.7.0.1', '10.0.0.1'])
      expect(await update({ routes: [route(nexthop)] })).toMatchObject({ status: 400, type: 'InvalidRoutes' })
    const change = (verb: string, routes: unknown[]) =>
      demo('PUT', `/routers/${routerId}/${verb}_extraroutes`, { router: { routes } })
    const second = route('10.0.0.10', '198.51.100.0/24')
    expect((await change('add', [second, route('10.0.0.9')])).body.router.routes).toEqual([route('10.0.0.9'), second])
    expect((await change('remove', [route('10.0.0.9')])).body.router.routes).toEqual([second])
    expect(await disconnect({ subnet_id: inside.subnetId })).toMatchObject({ status: 409, type: 'RouterInterfaceInUseByRoute' })
    expect((await update({ routes: null })).body.router.routes).toEqual([])
    expect((await disconnect({ subnet_id: inside.subnetId })).status).toBe(200)
  })

  it('leaves its addresses with the host that carries it until that one has let go', async () => {
    await withGateway()
    const host = await addHost(api.database, { name: 'host-1' })
    await api.database.execute('UPDATE routers SET host_id = $1', [host])
    await api.database.execute(`UPDATE ports SET host_id = $1 WHERE device_owner = 'network:router_gateway'`, [host])
    expect((await demo('DELETE', `/routers/${routerId}`)).status).toBe(204)
    expect(await portsOf('network:router_gateway')).toMatchObject([{ gone: true }])
    expect(await changesOf('host')).toContain(host)
  })
})

describe('a floating IP', () => {
  const create = (floatingip: Record<string, unknown> = {}, by = demo) =>
    by('POST', '/floatingips', { floatingip: { floating_network_id: outside, ...floatingip } })
  const change = (id: string, floatingip: Record<string, unknown>) => demo('PUT', `/floatingips/${id}`, { floatingip })

  it('is taken, led to a port, away from it, and given back', async () => {
    await withGateway()
    await connect({ subnet_id: inside.subnetId })
    const portId = await newPort()
    const made = await create({ description: 'mine' })
    expect(made).toMatchObject({ status: 201, body: { floatingip: { status: 'DOWN', port_id: null, fixed_ip_address: null } } })
    const { id, floating_ip_address: address } = made.body.floatingip
    expect(address).toMatch(/^203\.0\.113\./)
    const led = await change(id, { port_id: portId })
    expect(led).toMatchObject({
      status: 200,
      body: {
        floatingip: {
          status: 'ACTIVE',
          port_id: portId,
          router_id: routerId,
          fixed_ip_address: expect.stringMatching(/^10\.0\.0\./),
          port_details: { network_id: inside.networkId },
        },
      },
    })
    expect(await changesOf('router')).toContain(routerId)
    expect(await update({ external_gateway_info: null })).toMatchObject({
      status: 409,
      type: 'RouterExternalGatewayInUseByFloatingIp',
    })
    expect(await disconnect({ subnet_id: inside.subnetId })).toMatchObject({
      status: 409,
      type: 'RouterInterfaceInUseByFloatingIP',
    })
    expect(await create({ port_id: portId })).toMatchObject({ status: 409, type: 'FloatingIPPortAlreadyAssociated' })
    expect((await change(id, { description: 'still there' })).body.floatingip.port_id).toBe(portId)
    expect((await demo('GET', `/floatingips?port_id=${portId}`)).body.floatingips).toHaveLength(1)
    expect((await change(id, { port_id: null })).body.floatingip).toMatchObject({
      port_id: null,
      router_id: null,
      status: 'DOWN',
    })
    expect((await demo('DELETE', `/floatingips/${id}`)).status).toBe(204)
    expect(await portsOf('network:floatingip')).toEqual([])
  })

  it('leads nowhere that its network does not reach', async () => {
    const portId = await newPort()
    expect(await create({ port_id: portId })).toMatchObject({ status: 404, type: 'ExternalGatewayForFloatingIPNotFound' })
    expect(await create({ port_id: newId(systemRandom) })).toMatchObject({ status: 404, type: 'PortNotFound' })
    expect(await create({ fixed_ip_address: '10.0.0.9' })).toMatchObject({ status: 400, type: 'BadRequest' })
    await withGateway()
    await connect({ subnet_id: inside.subnetId })
    expect(await create({ port_id: portId, fixed_ip_address: '10.0.0.250' })).toMatchObject({ status: 400, type: 'BadRequest' })
    expect(await create({ floating_network_id: inside.networkId })).toMatchObject({ status: 400, type: 'BadRequest' })
    expect(await create({ floating_network_id: newId(systemRandom) })).toMatchObject({ status: 404, type: 'NetworkNotFound' })
    expect((await create({ port_id: portId })).status).toBe(201)
  })

  it('has the address that an operator names', async () => {
    expect((await create({ floating_ip_address: '203.0.113.50' })).status).toBe(403)
    const made = await create({ floating_ip_address: '203.0.113.50', project_id: demoProject }, admin)
    expect(made.body.floatingip.floating_ip_address).toBe('203.0.113.50')
    expect(await create({ floating_ip_address: '203.0.113.50' }, admin)).toMatchObject({ status: 409 })
    expect((await demo('GET', '/floatingips?floating_ip_address=203.0.113.50')).body.floatingips).toHaveLength(1)
  })

  it('keeps its address with the host of its router until that one has let go', async () => {
    await withGateway()
    await connect({ subnet_id: inside.subnetId })
    const host = await addHost(api.database, { name: 'host-2' })
    await api.database.execute('UPDATE routers SET host_id = $1', [host])
    const { floatingip } = (await create({ port_id: await newPort() })).body
    expect((await demo('DELETE', `/floatingips/${floatingip.id}`)).status).toBe(204)
    expect(await portsOf('network:floatingip')).toMatchObject([{ gone: true }])
    expect(await create({ floating_ip_address: floatingip.floating_ip_address }, admin)).toMatchObject({ status: 409 })
  })

  it('that leads nowhere goes with its network', async () => {
    await create()
    expect((await admin('DELETE', `/networks/${outside}`)).status).toBe(204)
    expect((await demo('GET', '/floatingips')).body.floatingips).toEqual([])
    const [{ used }] = (await api.database.query('SELECT used_floating_ips AS used FROM project_quotas WHERE project_id = $1', [
      demoProject,
    ])) as [{ used: number }]
    expect(used).toBe(0)
  })

  it('takes quota', async () => {
    await api.database.execute(`UPDATE project_quotas SET limits = '{"floatingip": 1}' WHERE project_id = $1`, [demoProject])
    const answers = await Promise.all([create(), create(), create()])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409])
  })
})

describe('the subnets of IPv6 of a network', () => {
  const six = async (cidr: string) => {
    const modes = { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' }
    const subnet = { network_id: inside.networkId, ip_version: 6, cidr, ...modes }
    return (await demo('POST', '/subnets', { subnet })).body.subnet.id as string
  }
  const addressesOf = async (id: string) =>
    (await demo('GET', `/ports/${id}`)).body.port.fixed_ips.map(({ ip_address: address }: { ip_address: string }) => address)

  it('share one port of a router, which each may leave', async () => {
    const [first, second] = [await six('fd00:1::/64'), await six('fd00:2::/64')]
    const four = (await connect({ subnet_id: inside.subnetId })).body.port_id
    const port = (await connect({ subnet_id: first })).body.port_id
    expect(port).not.toBe(four)
    expect(await connect({ subnet_id: second })).toMatchObject({
      status: 200,
      body: { port_id: port, subnet_id: second, subnet_ids: [second] },
    })
    expect(await addressesOf(port)).toEqual(['fd00:1::1', 'fd00:2::1'])
    expect((await connect({ subnet_id: second })).status).toBe(400)

    expect(await disconnect({ subnet_id: first })).toMatchObject({ status: 200, body: { port_id: port, subnet_ids: [first] } })
    expect(await addressesOf(port)).toEqual(['fd00:2::1'])
    expect((await disconnect({ subnet_id: first })).status).toBe(404)
    expect((await disconnect({ subnet_id: second })).status).toBe(200)
    expect((await demo('GET', `/ports/${port}`)).status).toBe(404)
    expect(await addressesOf(four)).toEqual(['10.0.0.1'])
  })

  it('are on one port of a router alone, and go with it', async () => {
    const subnets = [await six('fd00:1::/64'), await six('fd00:2::/64')]
    const port = (await connect({ subnet_id: subnets[0] })).body.port_id
    await connect({ subnet_id: subnets[1] })
    const other = await newPort(inside.networkId, { wanted: [{ subnetId: await six('fd00:3::/64') }] })
    expect(await connect({ port_id: other })).toMatchObject({ status: 400, message: expect.stringContaining(port) })
    expect((await disconnect({ port_id: port })).body.subnet_ids).toEqual(subnets)
    expect(await portsOf('network:router_interface')).toEqual([])
  })
})
