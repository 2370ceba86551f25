import type { HostId, OperationId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { hostIsAlive } from '../hosts/services.js'
import type { CheckOptions, RecordCheck } from './check.js'
import { finding } from './finding.js'

interface HeldRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  deletedAt: Date
}

const held = `a.server_id AS "serverId", a.incarnation, a.host_id AS "hostId", h.name AS "hostName", v.deleted_at AS "deletedAt"`

const readHeld = `
  SELECT ${held} FROM allocations a JOIN servers v ON v.id = a.server_id JOIN hosts h ON h.id = a.host_id
  WHERE v.deleted_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY v.deleted_at LIMIT $1`

/** Promise 6: room of a deleted server is held only while its host is being asked to confirm. */
export const deletionFreesRoom: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<HeldRow>(readHeld, [limit])
  return rows.map(({ serverId, incarnation, hostId, hostName, deletedAt }) =>
    finding('allocation.of-deleted', {
      about: { serverId, incarnation, hostId, hostName },
      message: `Server ${serverId} is deleted, and host ${hostName} holds room for its incarnation ${incarnation}, which nothing will free.`,
      since: deletedAt,
    }),
  )
}

/** What a host still holds of a deleted server: no fault, but something an operator should know of. */
export interface Tombstone extends HeldRow {
  hostAlive: boolean
  vcpus: number
  memoryMiB: number
  diskGiB: number
  operationId: OperationId
  /** What the host last answered, if it answered since. */
  lastFailure: string | null
}

const tombstoneColumns = `${held}, ${hostIsAlive} AS "hostAlive", a.vcpus, a.memory_mib AS "memoryMiB", a.disk_gib AS "diskGiB",
  o.id AS "operationId", f.message AS "lastFailure"`

const tombstones = `
  allocations a JOIN servers v ON v.id = a.server_id JOIN hosts h ON h.id = a.host_id
    JOIN operations o ON o.server_id = v.id AND o.state IN ('running', 'unwinding')
    LEFT JOIN LATERAL (
      SELECT s.result->>'message' AS message FROM operation_steps s
      WHERE s.operation_id = o.id AND s.state = 'failed' AND s.finished_at > v.deleted_at ORDER BY s.finished_at DESC LIMIT 1) f ON true`

const readTombstonesOf = `
  SELECT ${tombstoneColumns} FROM ${tombstones} WHERE v.deleted_at IS NOT NULL ORDER BY v.deleted_at LIMIT $2`

/** Oldest first. */
export async function readTombstones(db: Queryable, { silenceMs, limit }: CheckOptions): Promise<Tombstone[]> {
  return await db.query<Tombstone>(readTombstonesOf, [silenceMs, limit])
}

/** A guest that was given up while its host was fenced, and may still lie there: no fault, as the host is told when it comes back. */
export interface AbandonedGuestNote {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  /** Null for a host that was forgotten since. */
  hostName: string | null
  abandonedAt: Date
}

const readAbandonedOf = `
  SELECT g.server_id AS "serverId", g.incarnation, g.host_id AS "hostId", h.name AS "hostName", g.abandoned_at AS "abandonedAt"
  FROM abandoned_guests g LEFT JOIN hosts h ON h.id = g.host_id ORDER BY g.abandoned_at LIMIT $1`

/** Oldest first. */
export async function readAbandoned(db: Queryable, { limit }: CheckOptions): Promise<AbandonedGuestNote[]> {
  return await db.query<AbandonedGuestNote>(readAbandonedOf, [limit])
}

/** Since its host came it has had time to remove it, or to say why it cannot; in quarantine it leaves it as it is. */
const isLate = `h.quarantine IS NULL AND GREATEST(v.deleted_at, h.updated_at) < clock_timestamp() - $3 * interval '1 millisecond'`

const readRefused = `
  SELECT ${tombstoneColumns} FROM ${tombstones}
  WHERE v.deleted_at IS NOT NULL AND ${hostIsAlive} AND (f.message IS NOT NULL OR ${isLate}) ORDER BY v.deleted_at LIMIT $2`

/** Promise 6: a host that can be reached removes what it is asked to. */
export const tombstonesAreOfHostsAway: RecordCheck = async (db, { silenceMs, limit, graceMs }) => {
  const refused = await db.query<Tombstone>(readRefused, [silenceMs, limit, graceMs])
  return refused.map(({ serverId, incarnation, hostId, hostName, deletedAt, operationId, lastFailure }) =>
    finding('tombstone.refused', {
      about: { serverId, incarnation, hostId, hostName, operationId },
      message: lastFailure
        ? `Host ${hostName} answers, and cannot remove the guest of the deleted server ${serverId}: ${lastFailure}`
        : `Host ${hostName} answers, and neither removes the guest of the deleted server ${serverId} nor says why.`,
      since: deletedAt,
    }),
  )
}
