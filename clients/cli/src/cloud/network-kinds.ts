import type { NetworkItem, NetworkKind } from './network-service.js'

interface Named extends NetworkItem {
  name: string
  description?: string
  project_id?: string
}

export interface Network extends Named {
  status: string
  admin_state_up: boolean
  subnets: string[]
  mtu?: number
  shared?: boolean
  'router:external'?: boolean
  port_security_enabled?: boolean
}

export interface Subnet extends Named {
  network_id: string
  ip_version: number
  cidr: string
  gateway_ip: string | null
  enable_dhcp: boolean
  dns_nameservers: string[]
  allocation_pools: { start: string; end: string }[]
  host_routes: { destination: string; nexthop: string }[]
  ipv6_ra_mode?: string | null
  ipv6_address_mode?: string | null
}

export interface Port extends Named {
  network_id: string
  mac_address: string
  fixed_ips: { subnet_id: string; ip_address: string }[]
  status: string
  device_id: string
  device_owner: string
  security_groups: string[]
  port_security_enabled?: boolean
  'binding:host_id'?: string
}

export interface Router extends Named {
  status: string
  admin_state_up: boolean
  external_gateway_info: { network_id: string; external_fixed_ips?: { ip_address: string }[] } | null
  routes?: { destination: string; nexthop: string }[]
}

export interface FloatingIp extends NetworkItem {
  floating_ip_address: string
  floating_network_id: string
  fixed_ip_address: string | null
  port_id: string | null
  router_id: string | null
  status: string
  description?: string
  project_id?: string
}

export interface SecurityGroup extends Named {
  security_group_rules: SecurityGroupRule[]
}

export interface SecurityGroupRule extends NetworkItem {
  security_group_id: string
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol: string | null
  port_range_min: number | null
  port_range_max: number | null
  remote_ip_prefix: string | null
  remote_group_id: string | null
  description?: string
}

export const networks: NetworkKind<Network> = {
  ...{ singular: 'network', plural: 'networks', path: 'networks', words: 'network' },
  nameKey: 'name',
}
export const subnets: NetworkKind<Subnet> = {
  ...{ singular: 'subnet', plural: 'subnets', path: 'subnets', words: 'subnet' },
  nameKey: 'name',
}
export const ports: NetworkKind<Port> = {
  ...{ singular: 'port', plural: 'ports', path: 'ports', words: 'port' },
  nameKey: 'name',
}
export const routers: NetworkKind<Router> = {
  ...{ singular: 'router', plural: 'routers', path: 'routers', words: 'router' },
  nameKey: 'name',
}
export const floatingIps: NetworkKind<FloatingIp> = {
  ...{ singular: 'floatingip', plural: 'floatingips', path: 'floatingips', words: 'floating IP' },
  nameKey: 'floating_ip_address',
}
export const securityGroups: NetworkKind<SecurityGroup> = {
  ...{ singular: 'security_group', plural: 'security_groups', path: 'security-groups', words: 'security group' },
  nameKey: 'name',
}
export const securityGroupRules: NetworkKind<SecurityGroupRule> = {
  singular: 'security_group_rule',
  plural: 'security_group_rules',
  path: 'security-group-rules',
  words: 'rule',
}
