import type { ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

export interface ServerChanges {
  name?: string
  hostname?: string
  description?: string | null
  accessIpv4?: string
  accessIpv6?: string
  diskConfig?: 'AUTO' | 'MANUAL'
}

/** What a server is called now is known to the DNS of its networks: the hosts that carry them are told. */
export async function updateServer(db: Queryable, id: ServerId, changes: ServerChanges): Promise<void> {
  await db.execute(
    `WITH renamed AS (
       INSERT INTO network_changes (subject, subject_id)
       SELECT DISTINCT 'network', p.network_id FROM ports p JOIN servers v ON v.id = p.server_id WHERE v.id = $1 AND v.hostname <> $3)
     UPDATE servers SET name = COALESCE($2, name), hostname = COALESCE($3, hostname),
       description = CASE WHEN $4::boolean THEN $5 ELSE description END, access_ipv4 = COALESCE($6, access_ipv4),
       access_ipv6 = COALESCE($7, access_ipv6), disk_config = COALESCE($8, disk_config), updated_at = clock_timestamp()
     WHERE id = $1`,
    [
      id,
      changes.name ?? null,
      changes.hostname ?? null,
      changes.description !== undefined,
      changes.description ?? null,
      changes.accessIpv4 ?? null,
      changes.accessIpv6 ?? null,
      changes.diskConfig ?? null,
    ],
  )
}

const tellingHost = `told AS (INSERT INTO network_changes (subject, subject_id) SELECT 'server', id FROM written)`

/**
 * Merges `items` into the server's metadata, or replaces it by them, unless more than `limit` would be left: the check is
 * made on the row that is written. Returns the metadata as it is now, or undefined where the limit forbids it. The guest is told
 * them by its host.
 */
export async function writeMetadata(
  db: Queryable,
  id: ServerId,
  items: Readonly<Record<string, string>>,
  options: { replace: boolean; limit: number },
): Promise<Record<string, string> | undefined> {
  const [row] = await db.query<{ metadata: Record<string, string> }>(
    `WITH written AS (
       UPDATE servers SET metadata = CASE WHEN $3 THEN $2::jsonb ELSE metadata || $2::jsonb END, updated_at = clock_timestamp()
       WHERE id = $1 AND ($4 < 0 OR (SELECT count(*) FROM jsonb_object_keys(CASE WHEN $3 THEN $2::jsonb ELSE metadata || $2::jsonb END)) <= $4)
       RETURNING id, metadata), ${tellingHost}
     SELECT metadata FROM written`,
    [id, items, options.replace, options.limit],
  )
  return row?.metadata
}

/** False if there is no such item. */
export async function deleteMetadataItem(db: Queryable, id: ServerId, key: string): Promise<boolean> {
  const written = await db.query(
    `WITH written AS (
       UPDATE servers SET metadata = metadata - $2::text, updated_at = clock_timestamp() WHERE id = $1 AND metadata ? $2::text RETURNING id),
       ${tellingHost}
     SELECT FROM written`,
    [id, key],
  )
  return written.length === 1
}

export async function setLocked(db: Queryable, id: ServerId, locked: boolean, reason: string | null): Promise<void> {
  await db.execute('UPDATE servers SET locked = $2, locked_reason = $3, updated_at = clock_timestamp() WHERE id = $1', [
    id,
    locked,
    locked ? reason : null,
  ])
}
