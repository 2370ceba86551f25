import type { HostId, ServerId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

// What follows from an operator's word that a host is dead (`updateComputeService`), and from its return.

/** Servers on fenced hosts for which something is still to be settled: a step that waits for the host, or a guest that ran. */
const stranded = `
  SELECT v.id FROM hosts h JOIN operation_steps s ON s.host_id = h.id AND s.state = 'open'
    JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id WHERE h.forced_down
  UNION
  SELECT v.id FROM hosts h JOIN servers v ON v.host_id = h.id
  WHERE h.forced_down AND v.deleted_at IS NULL AND v.vm_state = 'active'
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  LIMIT $1`

export async function findStranded(db: Queryable, limit: number): Promise<ServerId[]> {
  return (await db.query<{ id: ServerId }>(stranded, [limit])).map(({ id }) => id)
}

/** Whether a host is fenced, and stays so until this transaction ends. To be asked after its server is locked. */
export async function isFenced(tx: Transaction, hostId: HostId): Promise<boolean> {
  const rows = await tx.query('SELECT FROM hosts WHERE id = $1 AND forced_down FOR SHARE', [hostId])
  return rows.length > 0
}

/** Notes that a server ran on its host when that was fenced, or went down, and is to run again. */
export async function markInterrupted(tx: Transaction, serverId: ServerId, incarnation: number): Promise<void> {
  await tx.execute('UPDATE allocations SET interrupted = true WHERE server_id = $1 AND incarnation = $2', [serverId, incarnation])
}

/** True where it was noted, and is no more. */
export async function clearInterrupted(tx: Transaction, serverId: ServerId, incarnation: number): Promise<boolean> {
  const cleared = await tx.execute(
    'UPDATE allocations SET interrupted = false WHERE server_id = $1 AND incarnation = $2 AND interrupted',
    [serverId, incarnation],
  )
  return cleared > 0
}

/** Of the guests that a host has come back with, those that ran when it was fenced. */
export async function findInterrupted(
  db: Queryable,
  hostId: HostId,
  guests: readonly { serverId: ServerId; incarnation: number }[],
): Promise<ServerId[]> {
  if (guests.length === 0) return []
  const rows = await db.query<{ id: ServerId }>(
    `SELECT a.server_id AS id FROM allocations a JOIN servers v ON v.id = a.server_id AND v.incarnation = a.incarnation
       JOIN unnest($2::uuid[], $3::int[]) AS g(server_id, incarnation) ON g.server_id = a.server_id AND g.incarnation = a.incarnation
     WHERE a.host_id = $1 AND a.interrupted AND v.deleted_at IS NULL ORDER BY v.created_at`,
    [hostId, guests.map((guest) => guest.serverId), guests.map((guest) => guest.incarnation)],
  )
  return rows.map(({ id }) => id)
}

/** Takes what a host still has by record into the epoch in which it is back. */
export async function adoptGuests(tx: Transaction, hostId: HostId, fencingEpoch: number): Promise<void> {
  await tx.execute('UPDATE allocations SET fencing_epoch = $2 WHERE host_id = $1 AND fencing_epoch < $2', [hostId, fencingEpoch])
}

export interface AbandonedGuest {
  serverId: ServerId
  incarnation: number
  /** Of its room, when that was given up. */
  fencingEpoch: number
}

/** What was given up while the host was fenced, and may still lie there. */
export async function abandonedGuests(db: Queryable, hostId: HostId): Promise<AbandonedGuest[]> {
  return await db.query<AbandonedGuest>(
    `SELECT server_id AS "serverId", incarnation, fencing_epoch AS "fencingEpoch" FROM abandoned_guests
     WHERE host_id = $1 ORDER BY abandoned_at`,
    [hostId],
  )
}

/** The host has removed them. */
export async function forgetAbandoned(
  db: Queryable,
  hostId: HostId,
  guests: readonly { serverId: ServerId; incarnation: number }[],
): Promise<void> {
  await db.execute(
    `DELETE FROM abandoned_guests a USING unnest($2::uuid[], $3::int[]) AS g(server_id, incarnation)
     WHERE a.host_id = $1 AND a.server_id = g.server_id AND a.incarnation = g.incarnation`,
    [hostId, guests.map((guest) => guest.serverId), guests.map((guest) => guest.incarnation)],
  )
}

const release = `
  UPDATE hosts SET forced_down = false, quarantine = NULL, quarantine_released = COALESCE(quarantine, quarantine_released),
    twins = false, agent_returns = 0, former_agent_id = NULL,
    session_id = CASE WHEN quarantine IS NULL THEN session_id END, updated_at = clock_timestamp()
  WHERE id = $1 AND (forced_down OR quarantine IS NOT NULL)`

/** Lets a host that is fenced or in quarantine take part again, from its next registration on. False where it is neither. */
export async function releaseHost(db: Queryable, hostId: HostId): Promise<boolean> {
  return (await db.execute(release, [hostId])) > 0
}
