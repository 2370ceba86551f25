import type { OperationId, StepId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

// Deadlines count time in which PostgreSQL could be reached and somebody judged them. Whoever judges leaves a mark here each
// time; a mark that is old when the next one is left tells how long nobody did, and all deadlines move by that.

/** True while the last mark is younger than parameter `$n`, in ms: a deadline that passed may be held against an operation. */
export const clockIsWatched = (n: number) =>
  `EXISTS (SELECT FROM deadline_watch WHERE watched_at > clock_timestamp() - $${n}::float8 * interval '1 millisecond')`

/** The mark's row is locked first, so of several that come back at once only the first moves the deadlines. */
const watch = `
  WITH before AS (SELECT watched_at FROM deadline_watch FOR UPDATE),
  now AS (UPDATE deadline_watch SET watched_at = clock_timestamp() FROM before)
  UPDATE operations o SET deadline_at = o.deadline_at + (clock_timestamp() - GREATEST(before.watched_at, o.started_at))
  FROM before WHERE before.watched_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
    AND o.state IN ('running', 'unwinding') AND o.deadline_at IS NOT NULL`

/** Leaves a mark, and moves the deadlines of all live operations if the last one is more than `unwatchedMs` old. */
export async function watchClock(db: Queryable, unwatchedMs: number): Promise<void> {
  await db.execute(watch, [unwatchedMs])
}

const overdue = `
  SELECT o.id, s.id AS "stepId" FROM operations o JOIN operation_steps s ON s.operation_id = o.id AND s.state = 'open'
  WHERE o.state IN ('running', 'unwinding') AND o.deadline_at < clock_timestamp() AND ${clockIsWatched(2)}
  ORDER BY o.deadline_at LIMIT $1`

export async function findOverdue(
  db: Queryable,
  limit: number,
  unwatchedMs: number,
): Promise<{ id: OperationId; stepId: StepId }[]> {
  return await db.query(overdue, [limit, unwatchedMs])
}
