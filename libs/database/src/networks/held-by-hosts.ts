import { newId, type PortId, type Random } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

/** Addresses of something that every host of a network carries, and that is not to be there any more. */
export interface GivenUp {
  networkId: string
  projectId: string
  deviceOwner: string
  addresses: readonly { address: string; subnetId: string | null }[]
}

/** Where no host carries the network there is nobody to wait for. */
const hold = `
  WITH carrying AS (SELECT DISTINCT host_id FROM ports WHERE network_id = $2::uuid AND host_id IS NOT NULL),
  gone AS (
    INSERT INTO ports (id, network_id, project_id, mac, device_owner, gone_at)
    SELECT $1::uuid, $2::uuid, $3, 'held ' || $1::uuid, $4, clock_timestamp() WHERE EXISTS (SELECT FROM carrying) RETURNING id),
  holders AS (INSERT INTO port_holders (port_id, host_id) SELECT gone.id, carrying.host_id FROM gone, carrying)
  INSERT INTO port_addresses (network_id, address, subnet_id, port_id, position)
  SELECT $2::uuid, given.address, given.subnet_id, gone.id, given.position
  FROM gone, unnest($5::inet[], $6::uuid[]) WITH ORDINALITY AS given(address, subnet_id, position)`

/**
 * Holds addresses, as a port that is gone does, until each host that carries their network now has applied a plan without
 * them, or is fenced. To be called when nobody has them any more, in the transaction that took them away, which also notes the
 * change of the network.
 */
export async function holdForHosts(tx: Transaction, givenUp: GivenUp, random: Random): Promise<void> {
  const { networkId, projectId, deviceOwner, addresses } = givenUp
  if (addresses.length === 0) return
  const texts = addresses.map(({ address }) => address)
  const subnetIds = addresses.map(({ subnetId }) => subnetId)
  await tx.execute(hold, [newId<PortId>(random), networkId, projectId, deviceOwner, texts, subnetIds])
}

/** Of ports that no host is bound to carry: those that nobody holds any more. */
export const heldByNobody = `
  p.gone_at IS NOT NULL AND p.host_id IS NULL AND NOT EXISTS (SELECT FROM port_holders h WHERE h.port_id = p.id)`

/** Frees what its last holder let go of. Each that lets go calls it after its commit, so the last one sees that it is. */
export async function freeHeldByNobody(db: Queryable): Promise<void> {
  await db.execute(`DELETE FROM ports p WHERE ${heldByNobody}`)
}
