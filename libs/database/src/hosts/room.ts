import type { HostId, OperationId, ServerId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { bindingPorts, unbindingPorts } from '../networks/server-ports.js'

/** What a host must be and have for a claim to hold. */
export interface Claim {
  serverId: ServerId
  operationId: OperationId
  hostId: HostId
  /** As the decision saw it: a host that was fenced since has another. */
  fencingEpoch: number
  /** The decision and its reasons, as stored. */
  decision: unknown
}

/**
 * Takes room on a host for a new incarnation of a server: the check and the use are one conditional update of the host's row,
 * so racing claims cannot give away more than there is. The guest's own overhead is added by the host's figure. With the server
 * its ports come to the host, which is told of them before the guest starts.
 */
const claimRoom = `
  WITH server AS (SELECT id, vcpus, memory_mib, disk_gib, incarnation FROM servers WHERE id = $1),
  host AS (
    UPDATE hosts h SET used_vcpus = used_vcpus + v.vcpus, used_memory_mib = used_memory_mib + v.memory_mib + h.overhead_mib,
      used_disk_gib = used_disk_gib + v.disk_gib, server_count = server_count + 1
    FROM server v
    WHERE h.id = $2 AND h.fencing_epoch = $3 AND h.enabled AND NOT h.forced_down AND h.quarantine IS NULL
      AND h.used_vcpus + v.vcpus <= h.capacity_vcpus
      AND h.used_memory_mib + v.memory_mib + h.overhead_mib <= h.capacity_memory_mib
      AND h.used_disk_gib + v.disk_gib <= h.capacity_disk_gib
    RETURNING h.id, h.fencing_epoch, h.overhead_mib),
  allocation AS (
    INSERT INTO allocations (server_id, incarnation, host_id, vcpus, memory_mib, disk_gib, fencing_epoch)
    SELECT v.id, v.incarnation + 1, host.id, v.vcpus, v.memory_mib + host.overhead_mib, v.disk_gib, host.fencing_epoch FROM server v, host
    RETURNING incarnation),
  decision AS (
    INSERT INTO placement_decisions (server_id, operation_id, host_id, decision) SELECT $1, $4, host.id, $5 FROM host), ${bindingPorts('$1', 'host')}
  UPDATE servers SET host_id = host.id, incarnation = allocation.incarnation, updated_at = clock_timestamp()
  FROM host, allocation WHERE servers.id = $1 RETURNING servers.incarnation`

/** Returns the new incarnation, or undefined if the host no longer has the room or may not be used. */
export async function claim(tx: Transaction, claim: Claim): Promise<number | undefined> {
  const [row] = await tx.query<{ incarnation: number }>(claimRoom, [
    claim.serverId,
    claim.hostId,
    claim.fencingEpoch,
    claim.operationId,
    JSON.stringify(claim.decision),
  ])
  return row?.incarnation
}

/**
 * The counters fall only with the row that the DELETE returned: an undo that is repeated frees once. Room of an epoch that is
 * over was given up without its host: what may still lie there is noted, and the host is told when it comes back.
 */
const release = `
  WITH freed AS (
    DELETE FROM allocations WHERE server_id = $1 AND incarnation = $2
    RETURNING server_id, incarnation, host_id, fencing_epoch, vcpus, memory_mib, disk_gib),
  abandoned AS (
    INSERT INTO abandoned_guests (server_id, incarnation, host_id, fencing_epoch)
    SELECT f.server_id, f.incarnation, f.host_id, f.fencing_epoch FROM freed f JOIN hosts h ON h.id = f.host_id
    WHERE f.fencing_epoch < h.fencing_epoch),
  host AS (
    UPDATE hosts h SET used_vcpus = used_vcpus - f.vcpus, used_memory_mib = used_memory_mib - f.memory_mib,
      used_disk_gib = used_disk_gib - f.disk_gib, server_count = server_count - 1
    FROM freed f WHERE h.id = f.host_id), ${unbindingPorts}
  UPDATE servers SET host_id = NULL, power_state = 0, updated_at = clock_timestamp() WHERE id = $1 AND incarnation = $2`

export async function releaseRoom(tx: Transaction, serverId: ServerId, incarnation: number): Promise<void> {
  await tx.execute(release, [serverId, incarnation])
}

/** Stores a decision that found no host. */
export async function storeRefusal(
  db: Queryable,
  serverId: ServerId,
  operationId: OperationId,
  decision: unknown,
): Promise<void> {
  await db.execute('INSERT INTO placement_decisions (server_id, operation_id, decision) VALUES ($1, $2, $3)', [
    serverId,
    operationId,
    JSON.stringify(decision),
  ])
}
