import { isRouterPort } from '@nubo/domain'
import type { HostId, PortId, ProjectId, RouterId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import type { PortRow } from './plan-ports.js'

interface RouterRow {
  routerId: RouterId
  projectId: ProjectId
  incarnation: number
  adminStateUp: boolean
  gatewayPortId: PortId | null
  snat: boolean
  routes: readonly { destination: string; nexthop: string }[]
}

const routers = `
  SELECT id AS "routerId", project_id AS "projectId", incarnation, admin_state_up AS "adminStateUp",
    gateway_port_id AS "gatewayPortId", snat, routes FROM routers WHERE host_id = $1 ORDER BY id`

const floatingIps = `
  SELECT router_id AS "routerId", host(address) AS address, host(fixed_address) AS "fixedAddress"
  FROM floating_ips WHERE router_id = ANY($1::uuid[]) AND fixed_address IS NOT NULL ORDER BY id`

const advertised = `
  SELECT a.port_id AS "portId", text(s.cidr) AS prefix, s.ra_mode AS mode FROM port_addresses a JOIN subnets s ON s.id = a.subnet_id
  WHERE a.port_id = ANY($1::uuid[]) AND s.ra_mode IS NOT NULL ORDER BY s.id`

/** The routers that live on a host. `own` are the ports that are bound there. */
export async function planRouters(db: Queryable, hostId: HostId, own: readonly PortRow[]) {
  const rows = await db.query<RouterRow>(routers, [hostId])
  if (rows.length === 0) return []
  const portsOf = Map.groupBy(
    own.filter((port) => isRouterPort(port.deviceOwner)),
    (port) => port.deviceId,
  )
  const floatingOf = Map.groupBy(
    await db.query<{ routerId: RouterId; address: string; fixedAddress: string }>(floatingIps, [rows.map((row) => row.routerId)]),
    (row) => row.routerId,
  )
  const ownIds = own.map((port) => port.portId)
  const advertisedBy = Map.groupBy(
    await db.query<{ portId: PortId; prefix: string; mode: string }>(advertised, [ownIds]),
    (row) => row.portId,
  )
  return rows.map(({ gatewayPortId, snat, ...router }) => {
    const ports = portsOf.get(router.routerId) ?? []
    const gateway = ports.find((port) => port.portId === gatewayPortId)
    return {
      ...router,
      gateway: gateway ? { ...connection(gateway), nexthops: gateway.gateways, snat } : null,
      interfaces: ports
        .filter((port) => port.portId !== gatewayPortId)
        .map((port) => ({
          ...connection(port),
          advertised: (advertisedBy.get(port.portId) ?? []).map(({ prefix, mode }) => ({ prefix, mode })),
        })),
      floatingIps: (floatingOf.get(router.routerId) ?? []).map(({ address, fixedAddress }) => ({ address, fixedAddress })),
    }
  })
}

function connection({ portId, networkId, mac, prefixes }: PortRow) {
  return { portId, networkId, mac, addresses: prefixes }
}
