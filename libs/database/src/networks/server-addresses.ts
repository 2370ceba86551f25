import type { NetworkId, PortId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** An address of a server, as its tenant sees it. */
export interface ServerAddress {
  /** The network's name. */
  network: string
  address: string
  version: 4 | 6
  type: 'fixed' | 'floating'
  mac: string
}

/** What a server's view says of its interfaces. */
export interface ServerNetworking {
  addresses: ServerAddress[]
  /** Names of the groups of its ports. */
  securityGroups: string[]
}

const none: ServerNetworking = { addresses: [], securityGroups: [] }

const read = `
  SELECT p.server_id AS "serverId",
    jsonb_agg(fixed.addresses ORDER BY p.device_index, p.id) AS fixed, jsonb_agg(groups.names) AS groups
  FROM ports p JOIN networks n ON n.id = p.network_id
    CROSS JOIN LATERAL (
      SELECT COALESCE(jsonb_agg(jsonb_build_object('network', n.name, 'address', host(a.address), 'version', family(a.address),
        'mac', p.mac, 'floating', f.floating) ORDER BY a.position, a.address), '[]') AS addresses
      FROM port_addresses a LEFT JOIN LATERAL (
        SELECT host(f.address) AS floating FROM floating_ips f WHERE f.fixed_port_id = p.id AND f.fixed_address = a.address) f ON true
      WHERE a.port_id = p.id) fixed
    CROSS JOIN LATERAL (
      SELECT COALESCE(jsonb_agg(g.name), '[]') AS names FROM port_security_groups m JOIN security_groups g ON g.id = m.group_id
      WHERE m.port_id = p.id) groups
  WHERE p.server_id = ANY($1::uuid[]) AND p.gone_at IS NULL GROUP BY p.server_id`

interface Row {
  serverId: ServerId
  /** Of each port. */
  fixed: { network: string; address: string; version: 4 | 6; mac: string; floating: string | null }[][]
  groups: string[][]
}

/** Of all these servers in one statement; `of` knows those without interfaces too. */
export async function readServerNetworking(
  db: Queryable,
  ids: readonly ServerId[],
): Promise<{ of(id: ServerId): ServerNetworking }> {
  const rows = ids.length === 0 ? [] : await db.query<Row>(read, [ids])
  const found = new Map(rows.map((row) => [row.serverId, networkingOf(row)]))
  return { of: (id) => found.get(id) ?? none }
}

/** A network's floating addresses come after its fixed ones, as Nova has them. */
function networkingOf({ fixed, groups }: Row): ServerNetworking {
  const all = fixed.flat()
  const floating = all.flatMap(({ network, mac, floating }) =>
    floating === null ? [] : [{ network, mac, address: floating, version: 4 as const, type: 'floating' as const }],
  )
  const own = all.map(({ network, mac, address, version }) => ({ network, mac, address, version, type: 'fixed' as const }))
  return { addresses: [...own, ...floating], securityGroups: [...new Set(groups.flat())].toSorted() }
}

/** An interface of a server. */
export interface ServerInterface {
  portId: PortId
  networkId: NetworkId
  mac: string
  status: string
  tag: string | null
  fixedIps: { subnet_id: string; ip_address: string }[]
}

const interfaces = `
  SELECT p.id AS "portId", p.network_id AS "networkId", p.mac, p.status, p.device_tag AS tag,
    COALESCE((SELECT jsonb_agg(jsonb_build_object('subnet_id', a.subnet_id, 'ip_address', host(a.address)) ORDER BY a.position, a.address)
      FROM port_addresses a WHERE a.port_id = p.id), '[]') AS "fixedIps"
  FROM ports p WHERE p.server_id = $1 AND p.gone_at IS NULL AND ($2::uuid IS NULL OR p.id = $2) ORDER BY p.device_index, p.id`

/** The server's interfaces in the order in which its guest finds them; the one of `portId` alone where that is said. */
export async function readInterfaces(
  db: Queryable,
  serverId: ServerId,
  portId: string | null = null,
): Promise<ServerInterface[]> {
  return await db.query<ServerInterface>(interfaces, [serverId, portId])
}
