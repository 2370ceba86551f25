import type { ImageId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { imageColumns, type ImageRow, type ImageViewer, type MemberStatus } from './image-row.js'

/** What its owner says of a new image. */
export type NewImage = Pick<
  ImageRow,
  | 'id'
  | 'projectId'
  | 'name'
  | 'visibility'
  | 'diskFormat'
  | 'containerFormat'
  | 'minDiskGib'
  | 'minMemoryMib'
  | 'protected'
  | 'hidden'
  | 'tags'
  | 'properties'
>

/**
 * Adds a queued image, without bytes. Undefined if there is, or ever was, one of that id: what still names an image that was
 * deleted must not come to mean another's.
 */
export async function insertImage(db: Queryable, image: NewImage): Promise<ImageRow | undefined> {
  const [row] = await db.query<ImageRow>(
    `WITH unused AS (INSERT INTO image_ids (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)
     INSERT INTO images AS i (id, project_id, name, status, visibility, disk_format, container_format, min_disk_gib, min_memory_mib,
       protected, hidden, tags, properties, created_at, updated_at)
     SELECT id, $2, $3, 'queued', $4, $5, $6, $7::int, $8::int, $9::boolean, $10::boolean, $11::text[], $12::jsonb, now(), now()
     FROM unused ON CONFLICT (id) DO NOTHING RETURNING ${imageColumns}`,
    [
      image.id,
      image.projectId,
      image.name,
      image.visibility,
      image.diskFormat,
      image.containerFormat,
      image.minDiskGib,
      image.minMemoryMib,
      image.protected,
      image.hidden,
      image.tags,
      image.properties,
    ],
  )
  return row
}

/** An image together with what the viewer's project is to it, if it was shared with it. */
export type SeenImage = ImageRow & { memberStatus: MemberStatus | null }

/** The image, if the viewer may see it: its own, a public or community one, one shared with it, or any as an admin. */
export function findImage(db: Queryable, id: ImageId, viewer: ImageViewer): Promise<SeenImage | undefined> {
  return selectImage(db, id, viewer, '')
}

/** As `findImage`, and holds the image against other changes until the transaction ends. */
export function lockImage(tx: Transaction, id: ImageId, viewer: ImageViewer): Promise<SeenImage | undefined> {
  return selectImage(tx, id, viewer, 'FOR UPDATE OF i')
}

async function selectImage(db: Queryable, id: ImageId, viewer: ImageViewer, lock: string): Promise<SeenImage | undefined> {
  const [row] = await db.query<SeenImage>(
    `SELECT ${imageColumns}, m.status AS "memberStatus"
     FROM images i LEFT JOIN image_members m ON m.image_id = i.id AND m.project_id = $2 AND i.visibility = 'shared'
     WHERE i.id = $1 AND ($3 OR i.project_id = $2 OR i.visibility IN ('public', 'community') OR m.status IS NOT NULL) ${lock}`,
    [id, viewer.projectId ?? null, viewer.admin],
  )
  return row
}

/** Writes what a tenant may change of a locked image, and the time. Returns it as it is now. */
export async function saveImage(tx: Transaction, image: ImageRow): Promise<ImageRow> {
  const [row] = await tx.query<ImageRow>(
    `UPDATE images i SET project_id = $2, name = $3, status = $4, visibility = $5, disk_format = $6, container_format = $7,
       min_disk_gib = $8, min_memory_mib = $9, protected = $10, hidden = $11, tags = $12, properties = $13, updated_at = clock_timestamp()
     WHERE id = $1 RETURNING ${imageColumns}`,
    [
      image.id,
      image.projectId,
      image.name,
      image.status,
      image.visibility,
      image.diskFormat,
      image.containerFormat,
      image.minDiskGib,
      image.minMemoryMib,
      image.protected,
      image.hidden,
      image.tags,
      image.properties,
    ],
  )
  return row!
}

/**
 * Removes a locked image with its members, and marks its file as removed: an upload under way loses its place. Returns the
 * names of files that are now to be deleted.
 */
export async function deleteImage(tx: Transaction, id: ImageId): Promise<string[]> {
  const files = await tx.query<{ id: string }>(
    `UPDATE image_files SET state = 'removed', lease_until = clock_timestamp() WHERE image_id = $1 AND state <> 'removed' RETURNING id`,
    [id],
  )
  await tx.execute('DELETE FROM images WHERE id = $1', [id])
  return files.map((file) => file.id)
}
