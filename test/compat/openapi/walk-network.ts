import type { Walk } from './walk.js'

export interface NetworkGrounds {
  projectId: string
  /** Of a project that networks are shared with. */
  otherProjectId: string
  hostName: string
}

const tagged = ['networks', 'subnets', 'subnetpools', 'ports', 'routers', 'floatingips', 'security-groups']
const untagged = ['security-group-rules', 'rbac-policies']

/** Makes what can be made, as an administrator; looks at all of it, changes it, takes it away again. */
export async function walkNetwork(walk: Walk, grounds: NetworkGrounds): Promise<void> {
  const made = await makeAll(walk, grounds)
  await connect(walk, made)
  await Promise.all(tagged.map((path) => tag(walk, path, made[path]!)))
  for (const path of [...tagged, ...untagged]) await look(walk, path, made[path]!)
  for (const [path, changes] of Object.entries(changesOf(made)))
    await walk.ask('PUT', `/v2.0/${path}/:id`, { parameters: { id: made[path]! }, body: { [singularOf(path)]: changes } })
  await lookAround(walk, made, grounds)
  await disconnect(walk, made)
  const last = ['floatingips', 'routers', 'ports', 'security-group-rules', 'security-groups', 'rbac-policies', 'subnets']
  for (const path of [...last, 'networks', 'subnetpools'])
    await walk.ask('DELETE', `/v2.0/${path}/:id`, { parameters: { id: made[path]! } })
}

/** By the place of its routes, the id of what was made there; 'outside' is a second network. */
type Made = Readonly<Record<string, string>>

const singularOf = (path: string) => path.replace(/ies$/, 'y').replace(/s$/, '').replaceAll('-', '_')

async function makeAll(walk: Walk, { projectId, otherProjectId, hostName }: NetworkGrounds): Promise<Made> {
  const make = async (path: string, body: Record<string, unknown>) => {
    const singular = singularOf(path)
    const answer = await walk.ask<Record<string, { id: string }>>('POST', `/v2.0/${path}`, { body: { [singular]: body } })
    return answer[singular]!.id
  }
  const of = { project_id: projectId, description: 'for a walk' }
  const provider = { 'provider:network_type': 'flat', 'provider:physical_network': 'outside' }
  const outside = await make('networks', { ...of, name: 'outside', 'router:external': true, is_default: true, ...provider })
  const networks = await makeNetworks(walk, projectId)
  await make('subnets', { network_id: outside, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false })
  const subnetpools = await make('subnetpools', {
    ...{ ...of, name: 'pool', prefixes: ['10.8.0.0/16'], min_prefixlen: 20, max_prefixlen: 28, default_prefixlen: 24 },
    ...{ default_quota: 65_536, is_default: false, shared: false },
  })
  const modes = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }
  await make('subnets', { network_id: networks, ip_version: 6, cidr: 'fd00:7::/64', ...modes })
  await make('subnets', { network_id: networks, ip_version: 4, subnetpool_id: subnetpools, prefixlen: 25 })
  const subnets = await make('subnets', {
    ...{ ...of, name: 'walked', network_id: networks, ip_version: 4, cidr: '10.7.0.0/24', gateway_ip: '10.7.0.1' },
    // DHCP is not given the address that is asked for by name.
    ...{ enable_dhcp: true, allocation_pools: [{ start: '10.7.0.110', end: '10.7.0.190' }], dns_nameservers: ['192.0.2.53'] },
    ...{ host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.7.0.9' }], service_types: [] },
  })
  const groups = await make('security-groups', { ...of, name: 'walked', stateful: true })
  const rule = { ...of, security_group_id: groups, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' }
  const rules = await make('security-group-rules', {
    ...rule,
    port_range_min: 80,
    port_range_max: 81,
    remote_ip_prefix: '10.0.0.0/8',
  })
  await make('security-group-rules', { ...rule, remote_group_id: groups })
  const ports = await make('ports', {
    ...{ ...of, name: 'walked', network_id: networks, admin_state_up: true, mac_address: '02:00:00:00:00:01' },
    ...{ fixed_ips: [{ subnet_id: subnets, ip_address: '10.7.0.50' }], security_groups: [groups], dns_name: 'walked' },
    ...{ allowed_address_pairs: [{ ip_address: '10.9.0.0/24' }], extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }] },
    ...{ 'binding:host_id': hostName, 'binding:profile': {}, 'binding:vnic_type': 'normal', port_security_enabled: true },
  })
  const routers = await make('routers', {
    ...{ ...of, name: 'walked', admin_state_up: true, availability_zone_hints: ['nova'] },
    external_gateway_info: { network_id: outside, enable_snat: true, external_fixed_ips: [{ ip_address: '203.0.113.77' }] },
  })
  const share = { object_type: 'network', object_id: networks, action: 'access_as_shared', target_tenant: otherProjectId }
  const shares = await make('rbac-policies', share)
  return {
    ...{ outside, networks, subnetpools, subnets, ports, routers },
    ...{ 'security-groups': groups, 'security-group-rules': rules, 'rbac-policies': shares },
  }
}

/** Two at once, of which the first is walked on. */
async function makeNetworks(walk: Walk, projectId: string): Promise<string> {
  const wanted = {
    ...{ name: 'walked', project_id: projectId, admin_state_up: true, shared: false, mtu: 1400, port_security_enabled: true },
    ...{ dns_domain: 'walked.example.', availability_zone_hints: ['nova'], 'provider:network_type': 'vxlan' },
  }
  const body = { networks: [wanted, { name: 'second' }] }
  const { networks } = await walk.ask<{ networks: { id: string }[] }>('POST', '/v2.0/networks', { body })
  await walk.ask('DELETE', '/v2.0/networks/:id', { parameters: { id: networks[1]!.id } })
  return networks[0]!.id
}

/** A router between the network and the outside, and a floating IP through it. */
async function connect(walk: Walk, made: Made & { floatingips?: string }): Promise<void> {
  const router = { id: made['routers']! }
  const route = { destination: '198.51.100.0/24', nexthop: '10.7.0.9' }
  await walk.ask('PUT', '/v2.0/routers/:id/add_router_interface', { parameters: router, body: { subnet_id: made['subnets'] } })
  for (const verb of ['add_extraroutes', 'remove_extraroutes'])
    await walk.ask('PUT', `/v2.0/routers/:id/${verb}`, { parameters: router, body: { router: { routes: [route] } } })
  const floatingip = {
    ...{ floating_network_id: made['outside'], port_id: made['ports'], fixed_ip_address: '10.7.0.50' },
    ...{ description: 'for a walk', floating_ip_address: '203.0.113.88' },
  }
  const answer = await walk.ask<{ floatingip: { id: string } }>('POST', '/v2.0/floatingips', { body: { floatingip } })
  Object.assign(made, { floatingips: answer.floatingip.id })
}

async function disconnect(walk: Walk, made: Made): Promise<void> {
  await walk.ask('PUT', '/v2.0/floatingips/:id', {
    parameters: { id: made['floatingips']! },
    body: { floatingip: { port_id: null } },
  })
  await walk.ask('PUT', '/v2.0/routers/:id/remove_router_interface', {
    parameters: { id: made['routers']! },
    body: { subnet_id: made['subnets'] },
  })
}

async function tag(walk: Walk, path: string, id: string): Promise<void> {
  const parameters = { id, tag: 'red' }
  const tags = `/v2.0/${path}/:id/tags`
  await walk.ask('PUT', tags, { parameters, body: { tags: ['blue'] } })
  await walk.ask('PUT', `${tags}/:tag`, { parameters })
  await walk.ask('GET', tags, { parameters })
  await walk.ask('GET', `${tags}/:tag`, { parameters })
  await walk.ask('DELETE', `${tags}/:tag`, { parameters })
  await walk.ask('DELETE', tags, { parameters })
}

async function look(walk: Walk, path: string, id: string): Promise<void> {
  const list = `/v2.0/${path}`
  for (const query of ['', `?id=${id}&limit=1&sort_key=id&sort_dir=desc`, '?fields=id']) await walk.ask('GET', list, { query })
  await walk.ask('GET', `${list}/:id`, { parameters: { id } })
}

const changesOf = (made: Made): Readonly<Record<string, Record<string, unknown>>> => ({
  networks: { name: 'changed', admin_state_up: true, mtu: 1350, dns_domain: 'changed.example.' },
  subnets: { name: 'changed', dns_nameservers: [], host_routes: [], gateway_ip: '10.7.0.1' },
  subnetpools: { name: 'changed', prefixes: ['10.8.0.0/15'], default_prefixlen: 25 },
  ports: { name: 'changed', fixed_ips: [{ ip_address: '10.7.0.50' }], dns_name: 'changed', 'binding:host_id': '' },
  'security-groups': { name: 'changed', description: 'changed' },
  'security-group-rules': { description: 'changed' },
  routers: { name: 'changed', routes: [], external_gateway_info: { network_id: made['outside'], enable_snat: false } },
  floatingips: { description: 'changed' },
  'rbac-policies': { target_tenant: 'somebody' },
})

async function lookAround(walk: Walk, made: Made, { projectId }: NetworkGrounds): Promise<void> {
  for (const route of ['', '/extensions', '/availability_zones', '/agents', '/quotas', '/network-ip-availabilities'])
    await walk.ask('GET', `/v2.0${route}`)
  await walk.ask('GET', '/v2.0/extensions/:alias', { parameters: { alias: 'router' } })
  const { agents } = await walk.ask<{ agents: { id: string }[] }>('GET', '/v2.0/agents')
  const agent = { id: agents[0]!.id }
  await walk.ask('GET', '/v2.0/agents/:id', { parameters: agent })
  await walk.ask('PUT', '/v2.0/agents/:id', {
    parameters: agent,
    body: { agent: { description: 'walked', admin_state_up: true } },
  })
  await walk.ask('GET', '/v2.0/network-ip-availabilities/:network_id', { parameters: { network_id: made['networks']! } })
  const parameters = { project_id: projectId }
  await walk.ask('PUT', '/v2.0/quotas/:project_id', { parameters, body: { quota: { network: 50, port: -1 } } })
  for (const part of ['', '/default', '/details', '/details.json'])
    await walk.ask('GET', `/v2.0/quotas/:project_id${part}`, { parameters })
  await walk.ask('GET', '/v2.0/quotas')
  await walk.ask('DELETE', '/v2.0/quotas/:project_id', { parameters })
}
