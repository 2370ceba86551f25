import { deviceOwners } from '@nubo/domain'
import { isUuid } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

/** Of ports: a router's own, on whichever side. */
export const isOfRouter = (port: string) =>
  `${port}.device_owner IN ('${deviceOwners.routerInterface}', '${deviceOwners.routerGateway}')`

/** An address of a router. */
export interface RouterConnection {
  portId: string
  networkId: string
  isGateway: boolean
  subnetId: string
  cidr: string
  address: string
}

const connections = `
  SELECT p.id AS "portId", p.network_id AS "networkId", p.device_owner = '${deviceOwners.routerGateway}' AS "isGateway",
    s.id AS "subnetId", text(s.cidr) AS cidr, host(a.address) AS address
  FROM ports p JOIN port_addresses a ON a.port_id = p.id JOIN subnets s ON s.id = a.subnet_id
  WHERE p.device_id = $1 AND ${isOfRouter('p')} AND p.gone_at IS NULL
  ORDER BY p.id, a.position`

/** Where a router is connected, on both sides. */
export async function routerConnections(db: Queryable, routerId: string): Promise<RouterConnection[]> {
  return await db.query<RouterConnection>(connections, [routerId])
}

/** A port, as far as routers and floating IPs want to know. */
export interface ConnectablePort {
  id: string
  networkId: string
  projectId: string
  deviceId: string
  deviceOwner: string
  addresses: { subnetId: string; address: string }[]
}

const lockPort = 'SELECT id FROM ports WHERE id = $1 AND gone_at IS NULL FOR NO KEY UPDATE'
const readPort = `
  SELECT p.id, p.network_id AS "networkId", p.project_id AS "projectId", p.device_id AS "deviceId", p.device_owner AS "deviceOwner",
    COALESCE((SELECT jsonb_agg(jsonb_build_object('subnetId', a.subnet_id, 'address', host(a.address)) ORDER BY a.position)
      FROM port_addresses a WHERE a.port_id = p.id), '[]') AS addresses
  FROM ports p WHERE p.id = $1`

/** A port that nobody else changes until the transaction ends; whoever may see it is the caller's to say. */
export async function lockConnectablePort(tx: Transaction, portId: string): Promise<ConnectablePort | undefined> {
  if (!isUuid(portId) || (await tx.query(lockPort, [portId])).length === 0) return undefined
  return (await tx.query<ConnectablePort>(readPort, [portId]))[0]
}

/** Makes a port that was free an interface of a router. It is bound where the router lives. */
export async function attachToRouter(tx: Transaction, portId: string, routerId: string): Promise<void> {
  await tx.execute(
    `UPDATE ports SET device_id = $2, device_owner = '${deviceOwners.routerInterface}', host_id = NULL, plan_revision = NULL,
       status = 'DOWN', revision_number = revision_number + 1, updated_at = clock_timestamp() WHERE id = $1`,
    [portId, routerId],
  )
}

/** Whether floating IPs lead through a router: to addresses of that subnet, where one is named. */
export async function leadsFloatingIps(db: Queryable, routerId: string, subnetId: string | null): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM floating_ips f WHERE f.router_id = $1 AND ($2::uuid IS NULL OR EXISTS (
       SELECT FROM port_addresses a WHERE a.port_id = f.fixed_port_id AND a.address = f.fixed_address AND a.subnet_id = $2)) LIMIT 1`,
    [routerId, subnetId],
  )
  return rows.length > 0
}

const reaching = `
  SELECT i.device_id AS id FROM port_addresses a JOIN ports i ON i.id = a.port_id
    JOIN subnets s ON s.id = a.subnet_id
    JOIN routers r ON r.id::text = i.device_id JOIN ports g ON g.id = r.gateway_port_id
  WHERE a.subnet_id = $1 AND i.device_owner = '${deviceOwners.routerInterface}' AND i.gone_at IS NULL AND g.network_id = $2
  ORDER BY (a.address = s.gateway) DESC NULLS LAST, r.created_at LIMIT 1`

/**
 * The router that leads from a subnet to an external network; the one at the subnet's gateway before others. It leads there
 * until the transaction ends: who takes its gateway or an interface off it locks it for a change.
 */
export async function lockRouterBetween(
  tx: Transaction,
  subnetId: string,
  externalNetworkId: string,
): Promise<string | undefined> {
  let locked: string | undefined
  for (;;) {
    const [router] = await tx.query<{ id: string }>(reaching, [subnetId, externalNetworkId])
    if (!router || router.id === locked) return router?.id
    await tx.execute('SELECT FROM routers WHERE id = $1 FOR SHARE', [router.id])
    locked = router.id
  }
}

/**
 * Makes the host that a router lives on answer for a port that is about to be deleted: its address is given out again when
 * that host carries it no more.
 */
export async function holdForRouter(tx: Transaction, portId: string, routerId: string): Promise<void> {
  await tx.execute(
    `UPDATE ports p SET host_id = COALESCE(r.left_host_id, r.host_id) FROM routers r WHERE p.id = $1 AND r.id = $2`,
    [portId, routerId],
  )
}
