import type { Queryable } from '../connection.js'

/**
 * Whose hosts must hear of a change: those that carry the network, that need the group, that the router lives on, that the
 * server's ports or the port are bound to, or one.
 */
export type ChangeSubject = 'network' | 'group' | 'router' | 'server' | 'port' | 'host'

/** To be called in the transaction of the change: hosts are told once it is committed, and not before. */
export async function noteNetworkChange(db: Queryable, subject: ChangeSubject, ...ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await db.execute('INSERT INTO network_changes (subject, subject_id) SELECT $1, unnest($2::uuid[])', [subject, ids])
}
