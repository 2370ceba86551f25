import type { Queryable } from '../connection.js'

/** Notes that a scheduler or a conductor is here, by its binary (as Nova names it) and its machine. */
export async function recordPresence(db: Queryable, { binary, host }: { binary: string; host: string }): Promise<void> {
  await db.execute(
    `INSERT INTO control_services (id, "binary", host) VALUES (gen_random_uuid(), $1, $2)
     ON CONFLICT ("binary", host) DO UPDATE SET last_heard_at = clock_timestamp()`,
    [binary, host],
  )
}
