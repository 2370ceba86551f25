import type { HostId, UserId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

export interface HostRefusalRow {
  reason: string
  count: number
  lastAt: Date
}

/** One host's key, or what was refused in the name of a host that has none. */
export interface HostKeyRow {
  hostId: HostId
  /** The name that it registered under; null before it did. */
  hostName: string | null
  publicKey: string | null
  enrolledBy: string | null
  enrolledAt: Date | null
  refusals: HostRefusalRow[]
}

/** The public key that is enrolled for a host, PEM. */
export async function findHostKey(db: Queryable, hostId: HostId): Promise<string | undefined> {
  const [row] = await db.query<{ public_key: string }>('SELECT public_key FROM host_keys WHERE host_id = $1', [hostId])
  return row?.public_key
}

/**
 * Enrols a key in place of the one before. The count of registrations begins anew with another key, and what was refused
 * is of no interest any more; the same key again changes nothing.
 */
export async function enrolHostKey(db: Queryable, hostId: HostId, publicKey: string, enrolledBy: UserId | null): Promise<void> {
  await db.execute(
    `WITH enrolled AS (
       INSERT INTO host_keys AS k (host_id, public_key, enrolled_by) VALUES ($1, $2, $3)
       ON CONFLICT (host_id) DO UPDATE SET public_key = EXCLUDED.public_key, enrolled_by = EXCLUDED.enrolled_by,
         enrolled_at = clock_timestamp(), last_registration = 0
       WHERE k.public_key <> EXCLUDED.public_key RETURNING host_id)
     DELETE FROM host_refusals r USING enrolled e WHERE r.host_id = e.host_id`,
    [hostId, publicKey, enrolledBy],
  )
}

/** False where there was none. */
export async function removeHostKey(db: Queryable, hostId: HostId): Promise<boolean> {
  return (await db.execute('DELETE FROM host_keys WHERE host_id = $1', [hostId])) > 0
}

/** True once for each number, in rising order, and only under the key that is enrolled now. */
export async function claimRegistration(db: Queryable, hostId: HostId, publicKey: string, number: number): Promise<boolean> {
  const claimed = await db.execute(
    'UPDATE host_keys SET last_registration = $3 WHERE host_id = $1 AND public_key = $2 AND last_registration < $3',
    [hostId, publicKey, number],
  )
  return claimed > 0
}

export async function recordRefusals(db: Queryable, hostId: HostId, reason: string, count: number): Promise<void> {
  await db.execute(
    `INSERT INTO host_refusals AS r (host_id, reason, count) VALUES ($1, $2, $3)
     ON CONFLICT (host_id, reason) DO UPDATE SET count = r.count + EXCLUDED.count, last_at = clock_timestamp()`,
    [hostId, reason, count],
  )
}

const list = `
  SELECT i.host_id AS "hostId", h.name AS "hostName", k.public_key AS "publicKey", k.enrolled_by AS "enrolledBy",
    k.enrolled_at AS "enrolledAt",
    COALESCE((SELECT json_agg(json_build_object('reason', r.reason, 'count', r.count, 'lastAt', r.last_at) ORDER BY r.last_at DESC)
      FROM host_refusals r WHERE r.host_id = i.host_id), '[]') AS refusals
  FROM (SELECT host_id FROM host_keys UNION SELECT host_id FROM host_refusals UNION SELECT id FROM hosts) AS i
    LEFT JOIN host_keys k ON k.host_id = i.host_id LEFT JOIN hosts h ON h.id = i.host_id
  ORDER BY h.name NULLS LAST, i.host_id`

/** Every host that has a key, is known, or was refused. */
export async function listHostKeys(db: Queryable): Promise<HostKeyRow[]> {
  const rows = await db.query<HostKeyRow & { refusals: (Omit<HostRefusalRow, 'lastAt'> & { lastAt: string })[] }>(list)
  return rows.map((row) => ({
    ...row,
    refusals: row.refusals.map((refusal) => ({ ...refusal, lastAt: new Date(refusal.lastAt) })),
  }))
}
