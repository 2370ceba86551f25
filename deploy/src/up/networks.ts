import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cloud } from '../cloud.js'
import { outsideGateway, outsideMtu } from '../host/outside.js'
import { outsideNetwork } from '../configuration.js'
import type { CloudClient } from './cloud-client.js'

const externalName = 'external'
const privateName = 'private'
const privateCidr = '192.168.40.0/24'
const groupName = 'ssh'

interface Named {
  id: string
  name: string
}

/** Makes the external network, as the administrator: the outside of this machine, from which floating IPs are taken. */
export async function ensureExternalNetwork(cloud: Cloud, admin: CloudClient): Promise<void> {
  const { outside } = cloud.installation
  if (await find(admin, 'networks', externalName)) return
  const network = await make(admin, 'network', {
    name: externalName,
    'router:external': true,
    is_default: true,
    mtu: outsideMtu,
    'provider:network_type': 'flat',
    'provider:physical_network': outsideNetwork,
  })
  await make(admin, 'subnet', {
    ...{ name: externalName, network_id: network.id, ip_version: 4, cidr: `${outside.prefix}.0/24`, enable_dhcp: false },
    gateway_ip: outsideGateway(outside),
    allocation_pools: [{ start: `${outside.prefix}.10`, end: `${outside.prefix}.250` }],
  })
}

/**
 * Makes a network of the tenant's own with a router to the outside, and a group that lets ssh and ping in: at the first `up`.
 * A person who took them away is not given others.
 */
export async function ensurePrivateNetwork(cloud: Cloud, demo: CloudClient): Promise<string> {
  const mark = join(cloud.folder.folder('run'), 'networks')
  if (existsSync(mark)) return 'as they are'
  const external = await find(demo, 'networks', externalName)
  const network = (await find(demo, 'networks', privateName)) ?? (await make(demo, 'network', { name: privateName }))
  const subnet =
    (await find(demo, 'subnets', privateName)) ??
    (await make(demo, 'subnet', { name: privateName, network_id: network.id, ip_version: 4, cidr: privateCidr }))
  const gateway = { external_gateway_info: { network_id: external!.id } }
  const router = (await find(demo, 'routers', privateName)) ?? (await make(demo, 'router', { name: privateName, ...gateway }))
  if ((await portsOf(demo, router.id, 'network:router_interface')).length === 0)
    await demo.ask('network', 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id })
  await ensureGroup(demo)
  writeFileSync(mark, '')
  return `${privateName}, with a router to the outside`
}

async function ensureGroup(demo: CloudClient): Promise<void> {
  if (await find(demo, 'security-groups', groupName)) return
  const description = 'ssh and ping from anywhere'
  const group = await make(demo, 'security_group', { name: groupName, description }, 'security-groups')
  const rule = { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4' }
  const ssh = { ...rule, protocol: 'tcp', port_range_min: 22, port_range_max: 22 }
  await demo.ask('network', 'POST', '/v2.0/security-group-rules', { security_group_rules: [ssh, { ...rule, protocol: 'icmp' }] })
}

/** How a new guest is connected; undefined where the tenant has taken its network away. */
export async function connectionOf(demo: CloudClient): Promise<Record<string, unknown> | undefined> {
  const network = await find(demo, 'networks', privateName)
  if (!network) return undefined
  const isGroupThere = (await find(demo, 'security-groups', groupName)) !== undefined
  return {
    networks: [{ uuid: network.id }],
    security_groups: [{ name: 'default' }, ...(isGroupThere ? [{ name: groupName }] : [])],
  }
}

/** The floating IP of a server: the one that it has, or a new one. Undefined for a server without a network. */
export async function ensureFloatingIp(demo: CloudClient, serverId: string): Promise<string | undefined> {
  const [port] = await portsOf(demo, serverId)
  const external = await find(demo, 'networks', externalName)
  if (!port || !external) return undefined
  type FloatingIp = { floating_ip_address: string }
  const query = `port_id=${port.id}`
  const { floatingips } = await demo.ask<{ floatingips: FloatingIp[] }>('network', 'GET', `/v2.0/floatingips?${query}`)
  if (floatingips[0]) return floatingips[0].floating_ip_address
  const floatingip = { floating_network_id: external.id, port_id: port.id }
  const made = await demo.ask<{ floatingip: FloatingIp }>('network', 'POST', '/v2.0/floatingips', { floatingip })
  return made.floatingip.floating_ip_address
}

async function portsOf(client: CloudClient, deviceId: string, owner?: string): Promise<Named[]> {
  const query = `device_id=${deviceId}${owner ? `&device_owner=${owner}` : ''}`
  return (await client.ask<{ ports: Named[] }>('network', 'GET', `/v2.0/ports?${query}`)).ports
}

async function find(client: CloudClient, collection: string, name: string): Promise<Named | undefined> {
  const found = await client.ask<Record<string, Named[]>>('network', 'GET', `/v2.0/${collection}?name=${name}`)
  return found[collection.replaceAll('-', '_')]![0]
}

async function make(
  client: CloudClient,
  resource: string,
  body: Record<string, unknown>,
  collection = `${resource}s`,
): Promise<Named> {
  const made = await client.ask<Record<string, Named>>('network', 'POST', `/v2.0/${collection}`, { [resource]: body })
  return made[resource]!
}
