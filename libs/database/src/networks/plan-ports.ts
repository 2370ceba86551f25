import type { HostId, NetworkId, PortId, ProjectId, SecurityGroupId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** A port of a network that a host carries, wherever the port itself is. */
export interface PortRow {
  portId: PortId
  networkId: NetworkId
  projectId: ProjectId
  mac: string
  deviceId: string
  deviceOwner: string
  hostId: HostId | null
  /** Of the host that it is bound to, on the underlay. */
  hostAddress: string | null
  adminStateUp: boolean
  portSecurity: boolean
  allowedPairs: readonly { mac_address?: string; ip_address: string }[]
  extraDhcpOptions: readonly { opt_name: string; opt_value: string; ip_version?: 4 | 6 | '4' | '6' }[]
  addresses: readonly string[]
  /** The same, each with the length of its subnet's prefix. */
  prefixes: readonly string[]
  gateways: readonly string[]
  groups: readonly SecurityGroupId[]
  dnsName: string
  /** Of the server whose port it is, and null of all others. */
  serverId: ServerId | null
  hostname: string | null
  serverMetadata: Record<string, string> | null
  passwordClears: number
}

const ports = `
  SELECT p.id AS "portId", p.network_id AS "networkId", p.project_id AS "projectId", p.mac, p.device_id AS "deviceId",
    p.device_owner AS "deviceOwner", p.host_id AS "hostId", h.address AS "hostAddress", p.admin_state_up AS "adminStateUp",
    p.port_security_enabled AS "portSecurity", p.allowed_address_pairs AS "allowedPairs", p.extra_dhcp_options AS "extraDhcpOptions",
    a.addresses, a.prefixes, a.gateways, COALESCE(g.groups, '{}') AS groups, p.dns_name AS "dnsName",
    v.id AS "serverId", v.hostname, v.metadata AS "serverMetadata", COALESCE(w.clears, 0) AS "passwordClears"
  FROM ports p LEFT JOIN hosts h ON h.id = p.host_id
    LEFT JOIN servers v ON v.id = p.server_id
    LEFT JOIN guest_passwords w ON w.server_id = v.id
    CROSS JOIN LATERAL (
      SELECT COALESCE(array_agg(host(a.address) ORDER BY a.position, a.address), '{}') AS addresses,
        COALESCE(array_agg(host(a.address) || '/' || masklen(s.cidr) ORDER BY a.position, a.address), '{}') AS prefixes,
        COALESCE(array_agg(host(s.gateway) ORDER BY a.position, a.address) FILTER (WHERE s.gateway IS NOT NULL), '{}') AS gateways
      FROM port_addresses a JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id = p.id) a
    LEFT JOIN LATERAL (SELECT array_agg(g.group_id ORDER BY g.group_id) AS groups FROM port_security_groups g WHERE g.port_id = p.id) g ON true
  WHERE p.gone_at IS NULL
    AND p.network_id IN (SELECT network_id FROM ports WHERE host_id = $1 AND gone_at IS NULL)
  ORDER BY p.id`

/** Of every network of which this host carries a port. */
export async function readPorts(db: Queryable, hostId: HostId): Promise<PortRow[]> {
  return await db.query<PortRow>(ports, [hostId])
}

const firstFloatingIps = `
  SELECT DISTINCT ON (p.server_id) p.server_id AS "serverId", host(f.address) AS address
  FROM ports p JOIN floating_ips f ON f.fixed_port_id = p.id
    JOIN port_addresses a ON a.port_id = p.id AND a.address = f.fixed_address
  WHERE p.host_id = $1 AND p.server_id IS NOT NULL AND p.gone_at IS NULL
  ORDER BY p.server_id, p.device_index, p.id, a.position, a.address`

/** Of the guests of a host, the first floating IP that leads to each, in the order in which a guest sees its addresses. */
export async function readPublicAddresses(db: Queryable, hostId: HostId): Promise<Map<ServerId, string>> {
  const rows = await db.query<{ serverId: ServerId; address: string }>(firstFloatingIps, [hostId])
  return new Map(rows.map(({ serverId, address }) => [serverId, address]))
}

export function isGuestPort(port: PortRow): boolean {
  return port.serverId !== null
}

/** What its network's DNS calls it. */
export function nameOf(port: PortRow): string | null {
  return port.dnsName || port.hostname
}

/** A guest's port, as its own host is told of it. */
export function planPort(port: PortRow, publicAddresses: ReadonlyMap<ServerId, string>) {
  const { portId, networkId, projectId, serverId, mac, addresses, adminStateUp, portSecurity, groups, passwordClears } = port
  return {
    ...{ portId, networkId, projectId, serverId, mac, addresses, adminStateUp, portSecurity, groups },
    allowedPairs: port.allowedPairs.map((pair) => ({ mac: pair.mac_address ?? mac, prefix: asPrefix(pair.ip_address) })),
    hostname: nameOf(port),
    extraDhcpOptions: port.extraDhcpOptions.map((option) => ({
      name: option.opt_name,
      value: option.opt_value,
      ipVersion: Number(option.ip_version ?? 4),
    })),
    serverMetadata: port.serverMetadata ?? {},
    publicIpv4: publicAddresses.get(serverId!) ?? null,
    passwordClears,
  }
}

/** An address is a prefix of its full length. */
export function asPrefix(text: string): string {
  if (text.includes('/')) return text
  return `${text}/${text.includes(':') ? 128 : 32}`
}
