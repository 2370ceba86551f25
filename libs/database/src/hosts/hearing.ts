import { placementQueue } from '@nubo/contract'
import type { Queryable } from '../connection.js'

// A host's silence says something only while we could have heard it. So silence is not measured in time, but in time in
// which marks that a conductor sends itself, on the way that hosts' reports take, arrived and were recorded. PostgreSQL's
// clock alone measures it, and it stands still while Redis, PostgreSQL or every conductor is away.

/** Marks are cast this often. Between two that are further apart than twice that something was in the way. */
export const hearingMarkEveryMs = 5_000
/** After so long without a mark we do not know what hosts say. */
export const deafAfterMs = 3 * hearingMarkEveryMs

/** The time in which hosts could be heard, so far. */
export const heardSoFar = '(SELECT heard_ms FROM hearing)'

/** Whether what hosts cast reaches us now, with `deafAfterMs` as the parameter. */
export const canHear = (parameter: string) => `
  COALESCE((SELECT marked_at > clock_timestamp() - ${parameter} * interval '1 millisecond' FROM hearing), false)`

const record = `
  UPDATE hearing SET marked_at = clock_timestamp(), heard_ms = heard_ms +
    CASE WHEN before.gap_ms BETWEEN 0 AND $1 THEN before.gap_ms ELSE 0 END
  FROM (SELECT round(extract(epoch FROM clock_timestamp() - marked_at) * 1000)::bigint AS gap_ms FROM hearing FOR UPDATE) before
  RETURNING (before.gap_ms BETWEEN 0 AND $2) IS TRUE AS heard`

const rehintPlacements = `
  UPDATE operation_steps SET next_hint_at = clock_timestamp() WHERE queue = '${placementQueue}' AND state = 'open'`

/** Records that a mark arrived. The first after a deafness counts for nothing, and what waited to be placed is due at once. */
export async function recordHearing(db: Queryable): Promise<void> {
  const [before] = await db.query<{ heard: boolean }>(record, [2 * hearingMarkEveryMs, deafAfterMs])
  if (before && !before.heard) await db.execute(rehintPlacements)
}
