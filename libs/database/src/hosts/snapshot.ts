import type { HostId, SessionId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { canHear, deafAfterMs } from './hearing.js'
import { hostIsAlive } from './services.js'

/** A host as the scheduler sees it. Memory in MiB, disk in GiB; capacities are what may be given away. */
export interface HostSnapshotRow {
  id: HostId
  name: string
  /** By its operator, and not in quarantine. */
  enabled: boolean
  disabledReason: string | null
  /** Heard of within the time given. */
  alive: boolean
  forcedDown: boolean
  architecture: string
  virtType: string
  capacityVcpus: number
  capacityMemoryMiB: number
  capacityDiskGiB: number
  overheadMiB: number
  usedVcpus: number
  usedMemoryMiB: number
  usedDiskGiB: number
  serverCount: number
  fencingEpoch: number
  sessionId: SessionId | null
}

/** One row even where there is no host at all. */
const readSnapshot = `
  SELECT hearing.able AS hearing, h.id, h.name, h.enabled AND h.quarantine IS NULL AS enabled,
    COALESCE(h.quarantine, h.disabled_reason) AS "disabledReason", h.forced_down AS "forcedDown",
    h.architecture, h.virt_type AS "virtType", h.capacity_vcpus AS "capacityVcpus", h.capacity_memory_mib AS "capacityMemoryMiB",
    h.capacity_disk_gib AS "capacityDiskGiB", h.overhead_mib AS "overheadMiB", h.used_vcpus AS "usedVcpus",
    h.used_memory_mib AS "usedMemoryMiB", h.used_disk_gib AS "usedDiskGiB", h.server_count AS "serverCount",
    h.fencing_epoch AS "fencingEpoch", h.session_id AS "sessionId", ${hostIsAlive} AS alive
  FROM (SELECT ${canHear('$2')} AS able) hearing LEFT JOIN hosts h ON true ORDER BY h.number`

export interface CloudSnapshot {
  /** False while what hosts say does not reach us: nothing may be concluded from their silence then, and nothing placed. */
  hearing: boolean
  hosts: HostSnapshotRow[]
}

/** @param silenceMs how long a host may be silent while it could be heard, and still count as alive. */
export async function readHostSnapshot(db: Queryable, silenceMs: number): Promise<CloudSnapshot> {
  const rows = await db.query<HostSnapshotRow & { hearing: boolean }>(readSnapshot, [silenceMs, deafAfterMs])
  return { hearing: rows[0]!.hearing, hosts: rows.filter((row) => row.id !== null) }
}
