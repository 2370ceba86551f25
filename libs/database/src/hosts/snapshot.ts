import type { HostId, SessionId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** A host as the scheduler sees it. Memory in MiB, disk in GiB; capacities are what may be given away. */
export interface HostSnapshotRow {
  id: HostId
  name: string
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

/**
 * Alive is judged against the latest word from any host, not against the clock: while nobody can be heard, it is we who
 * are deaf, and no host is declared down.
 */
const readSnapshot = `
  SELECT id, name, enabled, disabled_reason AS "disabledReason", forced_down AS "forcedDown", architecture, virt_type AS "virtType",
    capacity_vcpus AS "capacityVcpus", capacity_memory_mib AS "capacityMemoryMiB", capacity_disk_gib AS "capacityDiskGiB",
    overhead_mib AS "overheadMiB", used_vcpus AS "usedVcpus", used_memory_mib AS "usedMemoryMiB", used_disk_gib AS "usedDiskGiB",
    server_count AS "serverCount", fencing_epoch AS "fencingEpoch", session_id AS "sessionId",
    session_id IS NOT NULL AND NOT forced_down
      AND last_heard_at > (SELECT max(last_heard_at) FROM hosts) - $1 * interval '1 millisecond' AS alive
  FROM hosts ORDER BY number`

export async function readHostSnapshot(db: Queryable, silenceMs: number): Promise<HostSnapshotRow[]> {
  return await db.query<HostSnapshotRow>(readSnapshot, [silenceMs])
}
