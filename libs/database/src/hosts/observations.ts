import { registrationSequence, type GuestSeen, type PowerStateCode } from '@nubo/contract'
import { powerStates } from '@nubo/domain'
import type { HostId, ServerId, SessionId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

// What hosts saw of guests. It is numbered within a session, before the guest is looked at: what was seen later stands, in
// whatever order it is told.

const settled = [powerStates.shutdown, powerStates.crashed, powerStates.suspended].join(', ')
const up = [powerStates.running, powerStates.paused, powerStates.suspended].join(', ')

/** True of a server `v` that is not as its host saw it, unless something is being done to it: it is to follow that. */
export const hasDrifted = `(v.task_state IS NULL AND ((v.vm_state IN ('active', 'paused') AND v.power_state IN (${settled}))
  OR (v.vm_state = 'stopped' AND v.power_state IN (${up}))))`

/**
 * What a host said in a session that is over says nothing any more: it may have been on its way for long. What is no news is
 * noted too while something is being done to the server, whose result may come after it and have been seen before, and where
 * nobody has followed it yet: whoever was to may have been killed.
 */
const observe = `
  UPDATE servers v SET power_state = g.power_state, seen_session = $2, seen_sequence = g.sequence, updated_at = clock_timestamp()
  FROM unnest($3::uuid[], $4::int[], $5::int[], $6::bigint[]) AS g(server_id, incarnation, power_state, sequence)
  WHERE v.id = g.server_id AND v.host_id = $1 AND v.incarnation = g.incarnation
    AND (v.power_state <> g.power_state OR ${hasDrifted}
      OR EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding')))
    AND (v.seen_session IS DISTINCT FROM $2 OR v.seen_sequence < g.sequence) AND v.deleted_at IS NULL
    AND EXISTS (SELECT FROM hosts h WHERE h.id = $1 AND h.session_id = $2)
  RETURNING v.id`

/** Writes down what a host saw of its guests, and returns the servers that may have to follow it. */
export async function observeGuests(
  db: Queryable,
  hostId: HostId,
  sessionId: SessionId,
  guests: readonly GuestSeen[],
): Promise<ServerId[]> {
  if (guests.length === 0) return []
  const rows = await db.query<{ id: ServerId }>(observe, [
    hostId,
    sessionId,
    guests.map((guest) => guest.serverId),
    guests.map((guest) => guest.incarnation),
    guests.map((guest) => guest.powerState),
    guests.map((guest) => guest.sequence),
  ])
  return rows.map((row) => row.id)
}

/**
 * What is set of a server `v` by what a result saw: $`first` the power state, then the session and its number there. Unless something
 * later is known: of the same session, or of the one that its host has now; but what that one began with was seen before it
 * began, perhaps before the result.
 */
export function seenWithResult(first: number): string {
  const [power, session, number] = [`$${first}`, `$${first + 1}`, `$${first + 2}`]
  return `(power_state, seen_session, seen_sequence) = (
    SELECT CASE WHEN later THEN v.power_state ELSE ${power} END, CASE WHEN later THEN v.seen_session ELSE ${session} END,
      CASE WHEN later THEN v.seen_sequence ELSE ${number} END
    FROM (SELECT v.seen_sequence > CASE v.seen_session WHEN ${session} THEN ${number}
      WHEN (SELECT session_id FROM hosts WHERE id = v.host_id) THEN ${registrationSequence} END AS later) known)`
}

const record = `UPDATE servers v SET ${seenWithResult(2)} WHERE v.id = $1 AND v.deleted_at IS NULL RETURNING v.power_state`

/** Writes down what was seen with a result, and returns the power state by all that is known of the server. */
export async function recordSeen(
  db: Queryable,
  serverId: ServerId,
  seen: { powerState: PowerStateCode; sessionId: SessionId; sequence: number },
): Promise<PowerStateCode> {
  const values = [serverId, seen.powerState, seen.sessionId, seen.sequence]
  const [row] = await db.query<{ power_state: PowerStateCode }>(record, values)
  return row?.power_state ?? seen.powerState
}
