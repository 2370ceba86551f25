import type { Heartbeat, Inventory, Register } from '@nubo/contract'
import { CloudError, type HostId, type ServerId, type SessionId } from '@nubo/kernel'
import { isUniqueViolation, type Queryable, type Transaction } from '../connection.js'
import { heardSoFar } from './hearing.js'

const inventoryColumns = `architecture, hypervisor_type, hypervisor_version, virt_type, virt_type_reason, cpu_info, total_vcpus, total_memory_mib,
  total_disk_gib, reserved_memory_mib, reserved_disk_gib, overhead_mib, vcpu_ratio, uptime_seconds,
  capacity_vcpus, capacity_memory_mib, capacity_disk_gib`

function inventoryValues(inventory: Inventory): unknown[] {
  return [
    inventory.architecture,
    inventory.hypervisorType,
    inventory.hypervisorVersion,
    inventory.virtType,
    inventory.virtTypeReason,
    inventory.cpuInfo,
    inventory.totalVcpus,
    inventory.totalMemoryMiB,
    inventory.totalDiskGiB,
    inventory.reservedMemoryMiB,
    inventory.reservedDiskGiB,
    inventory.overheadMiB,
    inventory.vcpuRatio,
    inventory.uptimeSeconds,
    Math.floor(inventory.totalVcpus * inventory.vcpuRatio),
    Math.max(0, inventory.totalMemoryMiB - inventory.reservedMemoryMiB),
    Math.max(0, inventory.totalDiskGiB - inventory.reservedDiskGiB),
  ]
}

const inventoryParameters = (from: number) => Array.from({ length: 17 }, (_, index) => `$${from + index}`).join(', ')

/** A report may overtake another once; an agent that comes back twice to the place that another took is a second one. */
const isTwin = `(hosts.twins OR (EXCLUDED.agent_id <> hosts.agent_id AND EXCLUDED.agent_id = hosts.former_agent_id AND hosts.agent_returns > 0))`

const twinReason = `'Two agents register as this host in turns, from ' || hosts.address || ' and ' || EXCLUDED.address
  || ': its identity was copied, or its agent runs twice. Stop one of them, and then: nubo host release'`

/** Higher than any host has come by itself, and so low that it can rise: a host that could name the last one would never be fenced. */
const highestNamedEpoch = 1_000_000_000

/** The epoch never goes back, whoever knows the higher one: a database that was restored from a copy may know a lower. */
const upsertHost = `
  WITH before AS (SELECT boot_id FROM hosts WHERE id = $1)
  INSERT INTO hosts (id, name, address, boot_id, session_id, fencing_epoch, agent_id, quarantine, last_heard_at, heard_ms, ${inventoryColumns})
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp(), ${heardSoFar}, ${inventoryParameters(9)})
  ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, address = EXCLUDED.address, seen_sequence = 0,
    session_id = CASE WHEN hosts.forced_down OR ${isTwin} THEN NULL ELSE EXCLUDED.session_id END,
    fencing_epoch = GREATEST(hosts.fencing_epoch, EXCLUDED.fencing_epoch), twins = ${isTwin},
    quarantine = CASE WHEN ${isTwin} THEN CASE WHEN hosts.twins THEN hosts.quarantine ELSE ${twinReason} END
      WHEN EXCLUDED.quarantine IS DISTINCT FROM hosts.quarantine_released THEN EXCLUDED.quarantine END,
    quarantine_released = CASE WHEN EXCLUDED.quarantine IS NOT NULL THEN hosts.quarantine_released END,
    agent_returns = CASE EXCLUDED.agent_id WHEN hosts.agent_id THEN hosts.agent_returns
      WHEN hosts.former_agent_id THEN hosts.agent_returns + 1 ELSE 0 END,
    former_agent_id = CASE EXCLUDED.agent_id WHEN hosts.agent_id THEN hosts.former_agent_id ELSE hosts.agent_id END,
    agent_id = EXCLUDED.agent_id,
    last_heard_at = EXCLUDED.last_heard_at, heard_ms = EXCLUDED.heard_ms, updated_at = clock_timestamp(),
    (${inventoryColumns}) = ROW(${inventoryColumns.replaceAll(/\w+/g, 'EXCLUDED.$&')})
  RETURNING fencing_epoch, forced_down, twins, quarantine, (SELECT boot_id FROM before) AS boot_before`

interface RegisteredRow {
  fencing_epoch: number
  forced_down: boolean
  twins: boolean
  quarantine: string | null
  boot_before: string | null
}

export interface Registration {
  fencingEpoch: number
  /** An operator's word stands that it is dead: it has no session. */
  fenced: boolean
  /** Two agents use its identity: it has no session. */
  twins: boolean
  /** Why no new servers come to it; null where they do. */
  quarantine: string | null
  /** The host itself was started again since it was last settled in: whatever ran on it does not run any more. */
  rebooted: boolean
}

/**
 * Begins a new session of a host, known or new, unless it is fenced or one of two. Throws `Conflict` if another host has its
 * name.
 */
export async function registerHost(tx: Transaction, report: Register, sessionId: SessionId): Promise<Registration> {
  try {
    const [row] = await tx.query<RegisteredRow>(upsertHost, [
      report.hostId,
      report.hostName,
      report.address,
      report.bootId,
      sessionId,
      Math.min(Math.max(1, report.fencingEpoch), highestNamedEpoch),
      report.agentId,
      report.quarantine,
      ...inventoryValues(report.inventory),
    ])
    const { fencing_epoch: fencingEpoch, forced_down: fenced, twins, quarantine, boot_before } = row!
    return { fencingEpoch, fenced, twins, quarantine, rebooted: boot_before !== null && boot_before !== report.bootId }
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new CloudError('Conflict', `Another host is registered as ${report.hostName}: give this one a name of its own.`, {
      cause: error,
    })
  }
}

/** All that follows from a registration is done: from now on its boot counts as known, and its open steps are due. */
export async function settleHost(
  tx: Transaction,
  { hostId, bootId, carriesNetworks = false }: Register,
  sessionId: SessionId,
): Promise<void> {
  await tx.execute('UPDATE hosts SET boot_id = $3 WHERE id = $1 AND session_id = $2', [hostId, sessionId, bootId])
  await tx.execute(rehintHost, [hostId])
  await replan(tx, hostId, carriesNetworks)
}

/**
 * A host that has a plan of networks is told it anew: it may carry an older one than it said, or none. One that was forgotten
 * and carries networks still is told that it has none.
 */
async function replan(tx: Transaction, hostId: HostId, carriesNetworks: boolean): Promise<void> {
  await tx.execute(
    `INSERT INTO network_changes (subject, subject_id) SELECT 'host', $1::uuid
     WHERE $2 OR EXISTS (SELECT FROM host_networks WHERE host_id = $1)`,
    [hostId, carriesNetworks],
  )
}

const recordHeartbeat = `
  UPDATE hosts SET last_heard_at = clock_timestamp(), heard_ms = ${heardSoFar}, seen_sequence = $3, (${inventoryColumns}) = ROW(${inventoryParameters(4)})
  WHERE id = $1 AND session_id = $2 AND seen_sequence < $3 RETURNING id`

/** False for a heartbeat of another session, or one that a later one has overtaken. */
export async function heartbeatHost(db: Queryable, report: Heartbeat): Promise<boolean> {
  const rows = await db.query(recordHeartbeat, [
    report.hostId,
    report.sessionId,
    report.sequence,
    ...inventoryValues(report.inventory),
  ])
  return rows.length > 0
}

/** The session under which a host is known; null where it is not known at all. */
export async function sessionOf(db: Queryable, hostId: HostId): Promise<SessionId | null> {
  const [row] = await db.query<{ session_id: SessionId | null }>('SELECT session_id FROM hosts WHERE id = $1', [hostId])
  return row?.session_id ?? null
}

/**
 * Open steps of a host are due at once: it has a session now, under which they can be commanded. What the registration itself
 * led to was commanded under that session already.
 */
const rehintHost = `
  UPDATE operation_steps s SET next_hint_at = clock_timestamp() FROM hosts h
  WHERE h.id = $1 AND s.host_id = h.id AND s.state = 'open' AND s.opened_at < h.last_heard_at`

/** Servers on this host that are to run. */
export async function serversToRun(db: Queryable, hostId: HostId): Promise<ServerId[]> {
  const rows = await db.query<{ id: ServerId }>(
    `SELECT id FROM servers WHERE host_id = $1 AND wanted = 'running' AND vm_state IN ('active', 'stopped') AND deleted_at IS NULL
     ORDER BY created_at`,
    [hostId],
  )
  return rows.map((row) => row.id)
}
