import type { Queryable } from '../connection.js'

/** Failures in a row that lie further back than this no longer count. */
export const loginFailureWindowSeconds = 15 * 60
const window = `interval '${loginFailureWindowSeconds} seconds'`

/** Whether the failures of row `f` count still. */
export const countsStill = `f.last_failed_at > clock_timestamp() - ${window}`

/** Adds one failure, and returns how many that makes: each of several at once gets a number of its own. */
export async function addLoginFailure(db: Queryable, subject: string): Promise<number> {
  const rows = await db.query<{ failures: number }>(
    `INSERT INTO login_failures AS f (subject, failures, last_failed_at) VALUES ($1, 1, clock_timestamp())
     ON CONFLICT (subject) DO UPDATE SET last_failed_at = clock_timestamp(),
       failures = CASE WHEN ${countsStill} THEN f.failures + 1 ELSE 1 END
     RETURNING failures`,
    [subject],
  )
  return rows[0]!.failures
}

export const forgetLoginFailures = (db: Queryable, subject: string): Promise<number> =>
  db.execute('DELETE FROM login_failures WHERE subject = $1', [subject])

/** Removes what no longer counts. */
export const removeOldLoginFailures = (db: Queryable): Promise<number> =>
  db.execute(`DELETE FROM login_failures WHERE last_failed_at <= clock_timestamp() - ${window}`)
