import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { networkRequests } from '../testing/network-requests.js'
import { spoilt } from '../testing/nonsense.js'
import { TestApi } from '../testing/test-api.js'

// A request that is right but for one thing gets past most checks: whatever that thing is, it is no defect of ours.

type Body = Record<string, unknown>

const minutes = 60_000

let api: TestApi
let admin: ReturnType<typeof networkRequests>
/** By the place of its routes, the id of what is there. */
const ids: Record<string, string> = {}

beforeAll(async () => {
  api = await TestApi.start()
  admin = networkRequests(api, await api.admin())
  const limits = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule', 'rbac_policy']
  const [project] = await api.database.query<{ id: string }>(`SELECT id FROM projects WHERE name = 'admin'`)
  const quota = Object.fromEntries(limits.map((limit) => [limit, -1]))
  expect((await admin('PUT', `/quotas/${project!.id}`, { quota })).status).toBe(200)
  for (const { path, singular, body } of made) {
    const answer = await admin('POST', `/${path}`, { [singular]: body() })
    expect([path, answer.message, answer.status]).toEqual([path, undefined, 201])
    ids[path] ??= answer.body[singular].id
  }
  await admin('PUT', `/routers/${ids['routers']}/add_router_interface`, { subnet_id: ids['subnets'] })
}, minutes)
afterAll(() => api?.stop())

const made: readonly { path: string; singular: string; body: () => Body }[] = [
  { path: 'networks', singular: 'network', body: () => network() },
  { path: 'networks', singular: 'network', body: () => ({ name: 'outside', 'router:external': true }) },
  { path: 'subnetpools', singular: 'subnetpool', body: () => pool() },
  { path: 'subnets', singular: 'subnet', body: () => subnet() },
  { path: 'security-groups', singular: 'security_group', body: () => ({ name: 'group', stateful: true }) },
  { path: 'security-group-rules', singular: 'security_group_rule', body: () => rule() },
  { path: 'ports', singular: 'port', body: () => port() },
  { path: 'routers', singular: 'router', body: () => ({ name: 'router' }) },
  { path: 'rbac-policies', singular: 'rbac_policy', body: () => share() },
]

const network = () => ({
  ...{
    name: 'net',
    description: '',
    admin_state_up: true,
    mtu: 1400,
    shared: false,
    'router:external': false,
    is_default: false,
  },
  ...{ port_security_enabled: true, dns_domain: 'example.org.', availability_zone_hints: ['nova'] },
  ...{ 'provider:network_type': 'vxlan', 'provider:segmentation_id': 7, tenant_id: 'someone', project_id: 'someone' },
})
const pool = () => ({
  ...{ name: 'pool', prefixes: ['10.8.0.0/16', '10.64.0.0/16'], min_prefixlen: 20, max_prefixlen: 28, default_prefixlen: 24 },
  ...{ default_quota: 65_536, is_default: false, shared: false },
})
const subnet = () => ({
  ...{ name: 'sub', network_id: ids['networks'], ip_version: 4, cidr: '10.7.0.0/24', gateway_ip: '10.7.0.1', enable_dhcp: true },
  // What is given out by chance, to DHCP too, is none of the addresses that are asked for by name.
  ...{ allocation_pools: [{ start: '10.7.0.110', end: '10.7.0.190' }], dns_nameservers: ['192.0.2.53'], service_types: [] },
  ...{ host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.7.0.9' }] },
})
const ipv6Subnet = () => ({
  ...{ network_id: ids['networks'], ip_version: 6, cidr: 'fd00:7::/64', gateway_ip: 'fd00:7::1' },
  ...{ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' },
})
const pooledSubnet = () => ({ network_id: ids['networks'], ip_version: 4, subnetpool_id: ids['subnetpools'], prefixlen: 25 })
const rule = () => ({
  ...{ security_group_id: ids['security-groups'], direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' },
  ...{ port_range_min: 80, port_range_max: 81, remote_ip_prefix: '10.0.0.0/8', description: '' },
})
const remoteRule = () => ({
  ...{ security_group_id: ids['security-groups'], direction: 'egress', ethertype: 'IPv6', protocol: 'icmpv6' },
  ...{ port_range_min: 1, port_range_max: 0, remote_group_id: ids['security-groups'] },
})
const port = () => ({
  ...{ name: 'port', network_id: ids['networks'], admin_state_up: true, mac_address: '02:00:00:00:00:01', dns_name: 'web' },
  ...{ fixed_ips: [{ subnet_id: ids['subnets'], ip_address: '10.7.0.50' }], security_groups: [ids['security-groups']] },
  ...{ allowed_address_pairs: [{ ip_address: '10.9.0.0/24', mac_address: 'fa:16:3e:00:00:02' }], port_security_enabled: true },
  ...{ extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }], device_id: '', device_owner: '' },
  ...{ 'binding:host_id': '', 'binding:profile': {}, 'binding:vnic_type': 'normal' },
})
const router = () => ({
  ...{ name: 'router', admin_state_up: true, availability_zone_hints: ['nova'] },
  external_gateway_info: { network_id: ids['networks'], enable_snat: true, external_fixed_ips: [{ ip_address: '10.7.0.77' }] },
})
const floatingIp = () => ({
  ...{ floating_network_id: ids['networks'], port_id: ids['ports'], fixed_ip_address: '10.7.0.50', subnet_id: ids['subnets'] },
  ...{ floating_ip_address: '10.7.0.88', dns_name: 'web', dns_domain: 'example.org.' },
})
const share = () => ({
  ...{ object_type: 'network', object_id: ids['networks'], action: 'access_as_shared', target_tenant: 'someone' },
})
const routes = () => ({ routes: [{ destination: '198.51.100.0/24', nexthop: '10.7.0.9' }] })

/** What may be said when one is changed. */
const without = (body: Body, ...names: string[]) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
const fixed = [
  'tenant_id',
  'project_id',
  'network_id',
  'ip_version',
  'cidr',
  'availability_zone_hints',
  'ipv6_ra_mode',
  'ipv6_address_mode',
]

const requests: Readonly<Record<string, () => Body>> = {
  'POST /networks': () => ({ network: network() }),
  'PUT /networks/:id': () => ({ network: without(network(), ...fixed, 'provider:network_type', 'provider:segmentation_id') }),
  'POST /subnetpools': () => ({ subnetpool: pool() }),
  'PUT /subnetpools/:id': () => ({ subnetpool: without(pool(), 'shared') }),
  'POST /subnets': () => ({ subnet: { ...subnet(), cidr: '10.17.0.0/24', gateway_ip: null, allocation_pools: [] } }),
  'POST /subnets of IPv6': () => ({ subnet: ipv6Subnet() }),
  'POST /subnets of a pool': () => ({ subnet: pooledSubnet() }),
  'PUT /subnets/:id': () => ({ subnet: without(subnet(), ...fixed) }),
  'POST /security-groups': () => ({ security_group: { name: 'group', description: '', stateful: true } }),
  'PUT /security-groups/:id': () => ({ security_group: { name: 'group', description: '', stateful: true } }),
  'POST /security-group-rules': () => ({ security_group_rule: rule() }),
  'POST /security-group-rules of a group': () => ({ security_group_rule: remoteRule() }),
  'PUT /security-group-rules/:id': () => ({ security_group_rule: { description: '' } }),
  'POST /ports': () => ({ port: without(port(), 'mac_address') }),
  'PUT /ports/:id': () => ({ port: without(port(), ...fixed) }),
  'POST /routers': () => ({ router: router() }),
  'PUT /routers/:id': () => ({ router: { ...without(router(), ...fixed), ...routes() } }),
  'PUT /routers/:id/add_router_interface': () => ({ subnet_id: ids['subnets'], port_id: ids['ports'] }),
  'PUT /routers/:id/remove_router_interface': () => ({ subnet_id: ids['subnets'], port_id: ids['ports'] }),
  'PUT /routers/:id/add_extraroutes': () => ({ router: routes() }),
  'PUT /routers/:id/remove_extraroutes': () => ({ router: routes() }),
  'POST /floatingips': () => ({ floatingip: floatingIp() }),
  'POST /rbac-policies': () => ({ rbac_policy: share() }),
  'PUT /rbac-policies/:id': () => ({ rbac_policy: { target_tenant: 'someone' } }),
  'PUT /networks/:id/tags': () => ({ tags: ['red'] }),
}

it.each(Object.keys(requests))(
  '%s',
  async (name) => {
    const [method, path] = name.split(' ') as [string, string]
    const url = path.replace(':id', ids[path.split('/')[1]!]!)
    const bodies = spoilt(requests[name]!())
    expect(bodies.length).toBeGreaterThan(20)
    const wrong: string[] = []
    for (const body of bodies) {
      const { status, type, message } = await admin(method, url, body)
      if (status >= 500 || (status >= 400 && !(type && message)))
        wrong.push(`${status} ${JSON.stringify(body).slice(0, 300)}: ${message}`)
    }
    expect(wrong.join('\n')).toBe('')
  },
  2 * minutes,
)

it.each([
  'fixed_ips',
  'tags',
  'not-tags-any',
  'changed_since',
  'security_groups',
  'mac_address',
  'id',
  'admin_state_up',
  'status',
])('a filter by %s', async (name) => {
  const values = [
    '',
    'ip_address=',
    'ip_address=%F0%9F%92%A5',
    'subnet_id=x',
    'ip_address_substr=%25',
    'colour=red',
    '%00',
    'x'.repeat(3_000),
    '[]',
    "';--",
  ]
  for (const value of values) {
    const { status, message } = await admin('GET', `/ports?${name}=${value}`)
    expect([value, status < 500, status < 400 || message !== undefined]).toEqual([value, true, true])
  }
})
