import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let networkId: string

beforeAll(async () => {
  ;({ api, admin, demo } = await startNetworkApi())
})
beforeEach(async () => {
  await api.database.execute('TRUNCATE networks, subnets, subnet_pools, ports, network_changes, project_quotas CASCADE')
  networkId = (await demo('POST', '/networks', { network: { name: 'net' } })).body.network.id
})
afterAll(() => api?.stop())

const create = (subnet: Record<string, unknown>, by = demo) =>
  by('POST', '/subnets', { subnet: { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24', ...subnet } })
const make = async (subnet: Record<string, unknown> = {}) => (await create(subnet)).body.subnet
const update = (id: string, subnet: Record<string, unknown>) => demo('PUT', `/subnets/${id}`, { subnet })
const addressesOf = async (owner: string) =>
  (
    await api.database.query<{ address: string }>(
      `SELECT host(a.address) AS address FROM port_addresses a JOIN ports p ON p.id = a.port_id
       WHERE p.device_owner = $1 AND p.gone_at IS NULL ORDER BY a.position`,
      [owner],
    )
  ).map(({ address }) => address)

describe('a subnet', () => {
  it('is made with what Neutron gives it, and is one of its network', async () => {
    const made = await create({ name: 'sub' })
    expect(made.status).toBe(201)
    expect(made.body.subnet).toMatchObject({
      name: 'sub',
      network_id: networkId,
      ip_version: 4,
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
      dns_nameservers: [],
      host_routes: [],
      enable_dhcp: true,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      subnetpool_id: null,
      service_types: [],
      tags: [],
    })
    expect(made.body.subnet).not.toHaveProperty('prefixlen')
    expect((await demo('GET', `/networks/${networkId}`)).body.network.subnets).toEqual([made.body.subnet.id])
    expect(await api.database.query(`SELECT subject_id FROM network_changes WHERE subject = 'network'`)).toContainEqual({
      subject_id: networkId,
    })
  })

  it('of IPv6 is on a network that is wide enough for it, and stays so', async () => {
    const narrow = (mtu: number) => demo('PUT', `/networks/${networkId}`, { network: { mtu } })
    const refusal = {
      status: 409,
      type: 'NetworkMTUSubnetConflict',
      message: `MTU of ${networkId} is not valid, subnet requires a minimum of 1280`,
    }
    const subnet = { ip_version: 6, cidr: '2001:db8::/64' }
    await make()
    expect((await narrow(1_279)).status).toBe(200)
    expect(await create(subnet)).toMatchObject(refusal)
    expect((await narrow(1_280)).status).toBe(200)
    expect((await create(subnet)).status).toBe(201)
    expect(await narrow(1_279)).toMatchObject(refusal)
  })

  it('takes all that it is given', async () => {
    const given = {
      gateway_ip: '10.0.0.10',
      allocation_pools: [
        { start: '10.0.0.100', end: '10.0.0.110' },
        { start: '10.0.0.20', end: '10.0.0.29' },
      ],
      dns_nameservers: ['8.8.4.4', '8.8.8.8'],
      host_routes: [{ destination: '10.20.0.0/32', nexthop: '10.100.1.1' }],
      enable_dhcp: false,
      service_types: ['compute:nova'],
    }
    const { allocation_pools: pools, ...rest } = given
    expect(await make(given)).toMatchObject({ ...rest, allocation_pools: pools.toReversed() })
  })

  it('has its DHCP also where it is for one kind of device', async () => {
    const { id } = await make({ service_types: ['compute:nova'], enable_dhcp: true })
    const [dhcp] = (await demo('GET', '/ports?device_owner=network:dhcp')).body.ports
    expect(dhcp.fixed_ips).toMatchObject([{ subnet_id: id }])
  })

  it('has no gateway where null is given, and gives its address out then', async () => {
    expect(await make({ gateway_ip: null })).toMatchObject({
      gateway_ip: null,
      allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.254' }],
    })
  })

  it.each<[Record<string, unknown>, number, string]>([
    [{ cidr: '10.0.0.0/33' }, 400, 'HTTPBadRequest'],
    [{ cidr: '2001:db8::/64' }, 400, 'InvalidInput'],
    [{ cidr: '224.0.0.0/24' }, 400, 'InvalidInput'],
    [{ cidr: '0.0.0.0/0' }, 400, 'InvalidInput'],
    [{ cidr: '10.0.0.0/31' }, 400, 'InvalidInput'],
    [{ cidr: undefined }, 400, 'BadRequest'],
    [{ prefixlen: 24 }, 400, 'BadRequest'],
    [{ ip_version: 5 }, 400, 'HTTPBadRequest'],
    [{ gateway_ip: '10.0.0.0' }, 400, 'InvalidInput'],
    [{ gateway_ip: 'fe80::1' }, 400, 'InvalidInput'],
    [{ allocation_pools: [{ start: '10.0.0.1', end: '10.0.0.9' }] }, 409, 'GatewayConflictWithAllocationPools'],
    [{ allocation_pools: [{ start: '10.0.0.9', end: '10.0.0.2' }] }, 400, 'InvalidAllocationPool'],
    [{ allocation_pools: [{ start: '10.0.0.9', end: '10.0.1.2' }] }, 400, 'OutOfBoundsAllocationPool'],
    [
      {
        allocation_pools: [
          { start: '10.0.0.5', end: '10.0.0.9' },
          { start: '10.0.0.9', end: '10.0.0.12' },
        ],
      },
      409,
      'OverlappingAllocationPools',
    ],
    [{ dns_nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4', '1.1.1.5', '1.1.1.6'] }, 400, 'DNSNameServersExhausted'],
    [{ dns_nameservers: ['1.1.1.1', '1.1.1.1'] }, 400, 'HTTPBadRequest'],
    [{ host_routes: [{ destination: 'x', nexthop: '10.0.0.1' }] }, 400, 'HTTPBadRequest'],
    [{ ipv6_ra_mode: 'slaac' }, 400, 'InvalidInput'],
    [{ network_id: undefined }, 400, 'HTTPBadRequest'],
    [{ network_id: '00000000-0000-4000-8000-000000000000' }, 404, 'NetworkNotFound'],
    [{ subnetpool_id: '00000000-0000-4000-8000-000000000000', cidr: undefined }, 404, 'SubnetPoolNotFound'],
    [{ use_default_subnetpool: true, cidr: undefined }, 400, 'BadRequest'],
  ])('is refused as %j', async (subnet, status, type) => {
    expect(await create(subnet)).toMatchObject({ status, type })
  })

  it.each([
    ['slaac', 'slaac', '2001:db8::/64', 201],
    ['slaac', null, '2001:db8::/64', 201],
    [null, 'slaac', '2001:db8::/64', 201],
    ['dhcpv6-stateless', 'dhcpv6-stateless', '2001:db8::/64', 201],
    ['dhcpv6-stateful', 'dhcpv6-stateful', '2001:db8::/80', 201],
    ['slaac', 'dhcpv6-stateful', '2001:db8::/64', 400],
    ['slaac', 'slaac', '2001:db8::/65', 400],
    ['nonsense', null, '2001:db8::/64', 400],
  ])('of IPv6 with %s and %s in %s answers %d', async (ra, address, cidr, status) => {
    const modes = { ipv6_ra_mode: ra, ipv6_address_mode: address }
    expect((await create({ ip_version: 6, cidr, ...modes })).status).toBe(status)
    if (status === 201) expect((await create({ ip_version: 6, cidr, ...modes, enable_dhcp: false })).status).toBe(400)
  })

  it('overlaps with no other of its network, however many are made at once', async () => {
    const answers = await Promise.all(
      ['10.0.0.0/24', '10.0.0.128/25', '10.0.0.0/16', '10.1.0.0/24'].map((cidr) => create({ cidr })),
    )
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.subnet.cidr)
    expect(made).toContain('10.1.0.0/24')
    expect(made).toHaveLength(2)
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({ status: 400, type: 'InvalidInput' })
  })

  it('is changed within its rules', async () => {
    const { id } = await make()
    expect((await update(id, { gateway_ip: '10.0.0.5' })).type).toBe('GatewayConflictWithAllocationPools')
    const changed = await update(id, {
      name: 'other',
      gateway_ip: '10.0.0.5',
      allocation_pools: [{ start: '10.0.0.20', end: '10.0.0.30' }],
      dns_nameservers: ['1.1.1.1'],
      enable_dhcp: false,
    })
    expect(changed).toMatchObject({
      status: 200,
      body: { subnet: { gateway_ip: '10.0.0.5', enable_dhcp: false, name: 'other' } },
    })
    expect((await update(id, { gateway_ip: null })).body.subnet.gateway_ip).toBe(null)
    expect(await update(id, { cidr: '10.0.0.0/25' })).toMatchObject({
      status: 400,
      message: 'Cannot update read-only attribute cidr',
    })
  })

  it("is made by the network's owner alone, and seen where the network is shared", async () => {
    const { id } = (await admin('POST', '/networks', { network: { shared: true } })).body.network
    expect(await create({ network_id: id })).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' })
    const { subnet } = (await create({ network_id: id }, admin)).body
    expect((await demo('GET', `/subnets/${subnet.id}`)).status).toBe(200)
    expect((await update(subnet.id, { name: 'mine' })).status).toBe(404)
    await admin('PUT', `/networks/${id}`, { network: { shared: false } })
    expect(await demo('GET', `/subnets/${subnet.id}`)).toMatchObject({ status: 404, type: 'SubnetNotFound' })
  })

  it('is not deleted while a port has an address of it; what is gone holds its address all the same', async () => {
    const { id } = await make({ enable_dhcp: false })
    const port = `INSERT INTO ports (id, network_id, project_id, mac) VALUES (gen_random_uuid(), $1, 'p', 'm') RETURNING id`
    const [{ id: portId }] = (await api.database.query<{ id: string }>(port, [networkId])) as [{ id: string }]
    await api.database.execute(
      `INSERT INTO port_addresses (network_id, address, subnet_id, port_id) VALUES ($1, '10.0.0.7', $2, $3)`,
      [networkId, id, portId],
    )
    expect(await demo('DELETE', `/subnets/${id}`)).toMatchObject({ status: 409, type: 'SubnetInUse' })
    await api.database.execute('UPDATE ports SET gone_at = clock_timestamp()')
    expect((await demo('DELETE', `/subnets/${id}`)).status).toBe(204)
    expect(await api.database.query('SELECT subnet_id, host(address) AS address FROM port_addresses')).toEqual([
      { subnet_id: null, address: '10.0.0.7' },
    ])
  })

  it('takes quota, and gives it back, also with its network', async () => {
    const used = async () => (await api.database.query('SELECT used_subnets, used_ports, used_networks FROM project_quotas'))[0]
    await make()
    const { id } = await make({ cidr: '10.1.0.0/24' })
    expect(await used()).toEqual({ used_subnets: 2, used_ports: 1, used_networks: 1 })
    await demo('DELETE', `/subnets/${id}`)
    expect(await used()).toEqual({ used_subnets: 1, used_ports: 1, used_networks: 1 })
    expect((await demo('DELETE', `/networks/${networkId}`)).status).toBe(204)
    expect(await used()).toEqual({ used_subnets: 0, used_ports: 0, used_networks: 0 })
  })
})

describe('the port of DHCP', () => {
  it('is there with the first subnet that has DHCP, has an address of each, and goes with the last', async () => {
    const first = await make()
    const [one] = await addressesOf('network:dhcp')
    expect(one).toMatch(/^10\.0\.0\./)
    const second = await make({ ip_version: 6, cidr: '2001:db8::/64', ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })
    const [kept, own, ...more] = await addressesOf('network:dhcp')
    expect([kept, own?.startsWith('2001:db8::'), more]).toEqual([one, true, []])
    await make({ cidr: '10.1.0.0/24', enable_dhcp: false })
    expect(await addressesOf('network:dhcp')).toHaveLength(2)
    await update(first.id, { enable_dhcp: false })
    expect(await addressesOf('network:dhcp')).toEqual([own])
    expect((await demo('DELETE', `/subnets/${second.id}`)).status).toBe(204)
    expect(await api.database.query(`SELECT FROM ports`)).toEqual([])
    await update(first.id, { enable_dhcp: true })
    expect(await addressesOf('network:dhcp')).toHaveLength(1)
  })
})

describe('a subnet pool', () => {
  const createPool = (pool: Record<string, unknown>, by = demo) =>
    by('POST', '/subnetpools', { subnetpool: { name: 'pool', prefixes: ['10.10.0.0/16'], ...pool } })

  it('gives subnets what nobody else has of it', async () => {
    const made = await createPool({ default_prefixlen: 26, prefixes: ['10.10.0.0/25', '10.10.0.128/25', '10.10.0.0/26'] })
    expect(made).toMatchObject({
      status: 201,
      body: { subnetpool: { prefixes: ['10.10.0.0/24'], min_prefixlen: 8, max_prefixlen: 32, ip_version: 4, shared: false } },
    })
    const { id } = made.body.subnetpool
    const of = (more: Record<string, unknown> = {}) => create({ cidr: undefined, subnetpool_id: id, ...more })
    const three = await Promise.all([of(), of(), of({ prefixlen: 27 })])
    expect(three.map(({ status }) => status)).toEqual([201, 201, 201])
    expect((await of({ cidr: '10.10.0.192/26' })).status).toBe(201)
    expect(await of()).toMatchObject({ status: 409, type: 'SubnetAllocationError' })
    expect(await of({ cidr: '10.11.0.0/26' })).toMatchObject({ status: 409, type: 'SubnetAllocationError' })
    expect(await of({ prefixlen: 7 })).toMatchObject({ status: 409 })
    expect(await demo('DELETE', `/subnetpools/${id}`)).toMatchObject({ status: 409, type: 'SubnetPoolDeleteError' })
  })

  it('is taken of by default where it is the default', async () => {
    expect((await createPool({ is_default: true })).status).toBe(403)
    expect((await createPool({ is_default: true, shared: true, default_prefixlen: 24 }, admin)).status).toBe(201)
    expect(await createPool({ is_default: true }, admin)).toMatchObject({ status: 400, type: 'InvalidInput' })
    const { subnet } = (await create({ cidr: undefined, use_default_subnetpool: true })).body
    expect(subnet).toMatchObject({ cidr: '10.10.0.0/24', subnetpool_id: expect.any(String) })
  })

  it('gives a project no more than its quota', async () => {
    const { id } = (await createPool({ default_quota: 256 })).body.subnetpool
    expect((await create({ cidr: undefined, subnetpool_id: id, prefixlen: 25 })).status).toBe(201)
    expect((await create({ cidr: undefined, subnetpool_id: id, prefixlen: 25 })).status).toBe(201)
    expect(await create({ cidr: undefined, subnetpool_id: id, prefixlen: 30 })).toMatchObject({
      status: 409,
      type: 'SubnetPoolQuotaExceeded',
    })
  })

  it('grows and keeps what it had', async () => {
    const { id } = (await createPool({})).body.subnetpool
    const change = (subnetpool: Record<string, unknown>) => demo('PUT', `/subnetpools/${id}`, { subnetpool })
    expect((await change({ prefixes: ['10.0.0.0/8'], name: 'wide' })).body.subnetpool).toMatchObject({
      prefixes: ['10.0.0.0/8'],
      name: 'wide',
    })
    expect(await change({ prefixes: ['10.10.0.0/16'] })).toMatchObject({ status: 400, type: 'IllegalSubnetPoolPrefixUpdate' })
    expect(await change({ min_prefixlen: 33 })).toMatchObject({ status: 400, type: 'IllegalSubnetPoolPrefixBounds' })
    expect((await demo('DELETE', `/subnetpools/${id}`)).status).toBe(204)
  })

  it.each<[Record<string, unknown>, string]>([
    [{ prefixes: [] }, 'EmptySubnetPoolPrefixList'],
    [{ prefixes: ['10.0.0.0/8', '2001:db8::/32'] }, 'PrefixVersionMismatch'],
    [{ min_prefixlen: 25, max_prefixlen: 24 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ name: undefined }, 'HTTPBadRequest'],
  ])('is refused as %j', async (pool, type) => {
    expect(await createPool(pool)).toMatchObject({ status: 400, type })
  })
})
