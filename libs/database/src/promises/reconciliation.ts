import type { Queryable } from '../connection.js'

const takeTurn = `
  UPDATE reconciliation SET looked_at = clock_timestamp() WHERE looked_at <= clock_timestamp() - $1 * interval '1 millisecond'`

/** True for one caller, once every `everyMs`: whoever gets it looks the cloud over. */
export async function takeTurnToReconcile(db: Queryable, everyMs: number): Promise<boolean> {
  return (await db.execute(takeTurn, [everyMs])) > 0
}
