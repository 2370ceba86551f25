import type { Queryable, Transaction } from '../connection.js'

export interface SubnetPrefix {
  id: string
  cidr: string
}

/** The prefixes of a network's subnets. */
export async function prefixesOfNetwork(db: Queryable, networkId: string): Promise<SubnetPrefix[]> {
  return await db.query<SubnetPrefix>('SELECT id, text(cidr) AS cidr FROM subnets WHERE network_id = $1', [networkId])
}

/** Device owners whose ports do not keep a subnet: the cloud made them for itself. */
const ownOwners = ['network:dhcp']
/** Ports of routers keep even the addresses that guests would make for themselves. */
const routerOwners = ['network:router_interface', 'network:router_gateway']

export interface SubnetToDelete {
  id: string
  /** Ports have addresses of it without being given any: they lose them with it. */
  hasAutomaticAddresses: boolean
}

/**
 * Deletes a subnet that is locked, and the addresses that ports have of it without having asked; or nothing, and returns false,
 * where a port has one that was given to it. What a port held that is gone stays held until its host has let go of it; what the
 * cloud's own port has of it is for `settleServicePort` to give up.
 */
export async function deleteSubnet(tx: Transaction, { id, hasAutomaticAddresses }: SubnetToDelete): Promise<boolean> {
  const [inUse] = await tx.query(
    `SELECT FROM port_addresses a JOIN ports p ON p.id = a.port_id
     WHERE a.subnet_id = $1 AND p.gone_at IS NULL AND p.device_owner <> ALL($2)
       AND (NOT $3::boolean OR p.device_owner = ANY($4)) LIMIT 1`,
    [id, ownOwners, hasAutomaticAddresses, routerOwners],
  )
  if (inUse) return false
  await tx.execute(
    `DELETE FROM port_addresses a USING ports p
     WHERE a.subnet_id = $1 AND p.id = a.port_id AND p.gone_at IS NULL AND p.device_owner <> ALL($2)`,
    [id, ownOwners],
  )
  await tx.execute('DELETE FROM subnets WHERE id = $1', [id])
  return true
}

/** The router's port that has `gateway` of a subnet, where one has. */
export async function portAtGateway(db: Queryable, subnetId: string, gateway: string): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `SELECT p.id FROM port_addresses a JOIN ports p ON p.id = a.port_id
     WHERE a.subnet_id = $1 AND a.address = $2::inet AND p.gone_at IS NULL AND p.device_owner = 'network:router_interface'`,
    [subnetId, gateway],
  )
  return row?.id
}

export interface PoolUse {
  cidr: string
  projectId: string
}

/** What was taken of a subnet pool, and by whom. */
export async function takenOfPool(db: Queryable, poolId: string): Promise<PoolUse[]> {
  return await db.query<PoolUse>('SELECT text(cidr) AS cidr, project_id AS "projectId" FROM subnets WHERE subnet_pool_id = $1', [
    poolId,
  ])
}

/** The pool that is taken of where none is named. */
export async function defaultSubnetPool(db: Queryable, ipVersion: 4 | 6): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>('SELECT id FROM subnet_pools WHERE is_default AND ip_version = $1', [ipVersion])
  return row?.id
}
