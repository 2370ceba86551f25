import type { FloatingIp, Network, Port, Router, SecurityGroup, SecurityGroupRule, Subnet } from '../cloud/network-kinds.js'
import type { View } from '../output/view.js'
import { statusColour } from './server-view.js'

const routeText = ({ destination, nexthop }: { destination: string; nexthop: string }) => `${destination} via ${nexthop}`

export const networkView: View<Network> = [
  { key: 'id', title: 'ID', value: (network) => network.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (network) => network.name, listed: true },
  { key: 'status', title: 'Status', value: ({ status }) => status, colour: ({ status }) => statusColour(status), listed: true },
  { key: 'subnets', title: 'Subnets', value: (network) => network.subnets, listed: true },
  { key: 'mtu', title: 'MTU', value: (network) => network.mtu, right: true },
  { key: 'external', title: 'External', value: (network) => network['router:external'], listed: true },
  { key: 'shared', title: 'Shared', value: (network) => network.shared, listed: true },
  { key: 'enabled', title: 'Enabled', value: (network) => network.admin_state_up },
  { key: 'port_security', title: 'Port security', value: (network) => network.port_security_enabled },
  { key: 'description', title: 'Description', value: (network) => network.description },
  { key: 'project_id', title: 'Project', value: (network) => network.project_id },
]

export const subnetView: View<Subnet> = [
  { key: 'id', title: 'ID', value: (subnet) => subnet.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (subnet) => subnet.name, listed: true },
  { key: 'network_id', title: 'Network', value: (subnet) => subnet.network_id, listed: true, whole: true },
  { key: 'cidr', title: 'CIDR', value: (subnet) => subnet.cidr, listed: true, whole: true },
  { key: 'gateway', title: 'Gateway', value: (subnet) => subnet.gateway_ip, listed: true },
  { key: 'dhcp', title: 'DHCP', value: (subnet) => subnet.enable_dhcp },
  { key: 'dns', title: 'DNS', value: (subnet) => subnet.dns_nameservers },
  { key: 'pools', title: 'Pools', value: ({ allocation_pools }) => allocation_pools.map(({ start, end }) => `${start}-${end}`) },
  { key: 'routes', title: 'Routes', value: (subnet) => subnet.host_routes.map(routeText) },
  { key: 'ipv6_ra_mode', title: 'IPv6 RA', value: (subnet) => subnet.ipv6_ra_mode },
  { key: 'ipv6_address_mode', title: 'IPv6 addresses', value: (subnet) => subnet.ipv6_address_mode },
  { key: 'description', title: 'Description', value: (subnet) => subnet.description },
]

export const portView: View<Port> = [
  { key: 'id', title: 'ID', value: (port) => port.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (port) => port.name, listed: true },
  { key: 'mac', title: 'MAC', value: (port) => port.mac_address, listed: true, whole: true },
  { key: 'addresses', title: 'Addresses', value: (port) => port.fixed_ips.map((fixed) => fixed.ip_address), listed: true },
  { key: 'status', title: 'Status', value: ({ status }) => status, colour: ({ status }) => statusColour(status), listed: true },
  { key: 'network_id', title: 'Network', value: (port) => port.network_id },
  { key: 'device_owner', title: 'Of', value: (port) => port.device_owner, listed: true },
  { key: 'device_id', title: 'Device', value: (port) => port.device_id },
  { key: 'security_groups', title: 'Security groups', value: (port) => port.security_groups },
  { key: 'port_security', title: 'Port security', value: (port) => port.port_security_enabled },
  { key: 'host', title: 'Host', value: (port) => port['binding:host_id'] },
  { key: 'description', title: 'Description', value: (port) => port.description },
]

export const routerView: View<Router> = [
  { key: 'id', title: 'ID', value: (router) => router.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (router) => router.name, listed: true },
  { key: 'status', title: 'Status', value: ({ status }) => status, colour: ({ status }) => statusColour(status), listed: true },
  {
    key: 'addresses',
    title: 'Outside',
    value: (router) => router.external_gateway_info?.external_fixed_ips?.map((fixed) => fixed.ip_address),
    listed: true,
  },
  { key: 'external_network_id', title: 'External network', value: (router) => router.external_gateway_info?.network_id },
  { key: 'routes', title: 'Routes', value: (router) => router.routes?.map(routeText) },
  { key: 'enabled', title: 'Enabled', value: (router) => router.admin_state_up },
  { key: 'description', title: 'Description', value: (router) => router.description },
]

export const floatingIpView: View<FloatingIp> = [
  { key: 'id', title: 'ID', value: (floating) => floating.id, listed: true, whole: true },
  { key: 'address', title: 'Address', value: (floating) => floating.floating_ip_address, listed: true, whole: true },
  { key: 'leads_to', title: 'Leads to', value: (floating) => floating.fixed_ip_address, listed: true },
  { key: 'port_id', title: 'Port', value: (floating) => floating.port_id, listed: true },
  { key: 'status', title: 'Status', value: ({ status }) => status, colour: ({ status }) => statusColour(status), listed: true },
  { key: 'network_id', title: 'Network', value: (floating) => floating.floating_network_id },
  { key: 'router_id', title: 'Router', value: (floating) => floating.router_id },
  { key: 'description', title: 'Description', value: (floating) => floating.description },
]

export const securityGroupView: View<SecurityGroup> = [
  { key: 'id', title: 'ID', value: (group) => group.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (group) => group.name, listed: true },
  { key: 'description', title: 'Description', value: (group) => group.description, listed: true },
  { key: 'rules', title: 'Rules', value: (group) => group.security_group_rules.map(ruleText) },
]

export const ruleView: View<SecurityGroupRule> = [
  { key: 'id', title: 'ID', value: (rule) => rule.id, listed: true, whole: true },
  { key: 'direction', title: 'Direction', value: (rule) => rule.direction, listed: true },
  { key: 'ethertype', title: 'IP', value: (rule) => rule.ethertype, listed: true },
  { key: 'protocol', title: 'Protocol', value: (rule) => rule.protocol, text: (rule) => rule.protocol ?? 'any', listed: true },
  { key: 'ports', title: 'Ports', value: portsOf, text: (rule) => portsOf(rule) ?? 'any', listed: true },
  { key: 'remote_ip_prefix', title: 'Remote', value: (rule) => rule.remote_ip_prefix, listed: true },
  { key: 'remote_group_id', title: 'Remote group', value: (rule) => rule.remote_group_id, listed: true },
  { key: 'description', title: 'Description', value: (rule) => rule.description },
]

function portsOf({ port_range_min: from, port_range_max: to }: SecurityGroupRule): string | undefined {
  if (from === null && to === null) return undefined
  return from === to ? String(from) : `${from ?? ''}-${to ?? ''}`
}

/** As a person would say it: `ingress tcp 22 from 10.0.0.0/8`. */
function ruleText(rule: SecurityGroupRule): string {
  const remote = rule.remote_group_id ?? rule.remote_ip_prefix ?? 'anywhere'
  const between = rule.direction === 'ingress' ? 'from' : 'to'
  return [rule.direction, rule.ethertype, rule.protocol ?? 'any', portsOf(rule), between, remote].filter(Boolean).join(' ')
}
