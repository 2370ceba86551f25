import type { Id, ImageId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { imageColumns, type ImageRow } from './image-row.js'

/** One upload, and the name of the file that it writes. A second upload of the same image has another. */
export type ImageFileId = Id<'image-file'>

export interface ImageDigest {
  sizeBytes: number
  virtualBytes: number
  md5: string
  sha512: string
}

/** Why an image takes no upload now. */
export type UploadRefusal =
  | { refused: 'status'; status: string }
  | { refused: 'formats'; missing: string[] }
  | { refused: 'uploads'; most: number }

/**
 * Turns a locked, queued image into a saving one, written by `fileId` alone: the row and the unique index on live files
 * decide which of several uploads goes on.
 * @param writer names the process that writes, see `returnCutOffUploads`
 * @param mostUnderWay uploads of the image's project
 */
export async function claimUpload(
  tx: Transaction,
  image: ImageRow,
  claim: { fileId: ImageFileId; writer: string; leaseSeconds: number; mostUnderWay: number },
): Promise<UploadRefusal | undefined> {
  if (image.status !== 'queued') return { refused: 'status', status: image.status }
  const missing = [!image.diskFormat && 'disk_format', !image.containerFormat && 'container_format'].filter(
    (name) => name !== false,
  )
  if (missing.length > 0) return { refused: 'formats', missing }
  if ((await countUploads(tx, image.projectId)) >= claim.mostUnderWay) return { refused: 'uploads', most: claim.mostUnderWay }
  await tx.execute(
    `INSERT INTO image_files (id, image_id, state, writer, lease_until)
     VALUES ($1, $2, 'writing', $3, clock_timestamp() + make_interval(secs => $4))`,
    [claim.fileId, image.id, claim.writer, claim.leaseSeconds],
  )
  await tx.execute(`UPDATE images SET status = 'saving', updated_at = clock_timestamp() WHERE id = $1`, [image.id])
  return undefined
}

/** Of a project, under way; nobody else of it begins one until the transaction ends. */
async function countUploads(tx: Transaction, projectId: string): Promise<number> {
  await tx.execute(`SELECT pg_advisory_xact_lock(hashtextextended('uploads of ' || $1, 0))`, [projectId])
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*) AS count FROM image_files f JOIN images i ON i.id = f.image_id WHERE f.state = 'writing' AND i.project_id = $1`,
    [projectId],
  )
  return row!.count
}

/** Says that these uploads still go on. Returns those that do: the others were cut off by somebody else, or deleted. */
export async function renewUploads(db: Queryable, fileIds: readonly ImageFileId[], leaseSeconds: number): Promise<ImageFileId[]> {
  const rows = await db.query<{ id: ImageFileId }>(
    `UPDATE image_files SET lease_until = clock_timestamp() + make_interval(secs => $2)
     WHERE id = ANY ($1::uuid[]) AND state = 'writing' RETURNING id`,
    [fileIds, leaseSeconds],
  )
  return rows.map((row) => row.id)
}

/** The file is whole and on disk: the image becomes active. Undefined if the upload lost its place meanwhile. */
export async function completeUpload(tx: Transaction, fileId: ImageFileId, digest: ImageDigest): Promise<ImageRow | undefined> {
  const [file] = await tx.query<{ imageId: ImageId }>(`SELECT image_id AS "imageId" FROM image_files WHERE id = $1`, [fileId])
  if (!file) return undefined
  // The image first, as everywhere: a deletion and the end of an upload must not wait for each other.
  await tx.execute('SELECT 1 FROM images WHERE id = $1 FOR UPDATE', [file.imageId])
  const whole = await tx.execute(`UPDATE image_files SET state = 'whole' WHERE id = $1 AND state = 'writing'`, [fileId])
  if (whole === 0) return undefined
  const [image] = await tx.query<ImageRow>(
    `UPDATE images i SET status = 'active', size_bytes = $2, virtual_bytes = $3, md5 = $4, sha512 = $5, updated_at = clock_timestamp()
     WHERE id = $1 RETURNING ${imageColumns}`,
    [file.imageId, digest.sizeBytes, digest.virtualBytes, digest.md5, digest.sha512],
  )
  return image
}

/** The upload failed: its image is queued again, unless it lost its place meanwhile. The file is left to be deleted. */
export async function abandonUpload(tx: Transaction, fileId: ImageFileId): Promise<void> {
  await returnToQueue(tx, 'id = $1', [fileId])
}

/**
 * Returns the images to the queue whose upload was cut off with its process: those of writers that are known to be dead, and
 * those whose lease is over. Their files are left to be deleted.
 */
export async function returnCutOffUploads(tx: Transaction, deadWriters: readonly string[]): Promise<ImageId[]> {
  return returnToQueue(tx, '(lease_until < clock_timestamp() OR writer = ANY ($1::text[]))', [deadWriters])
}

async function returnToQueue(tx: Transaction, which: string, values: readonly unknown[]): Promise<ImageId[]> {
  // In the order image, file, as everywhere.
  const images = await tx.query<{ id: ImageId }>(
    `SELECT id FROM images WHERE id IN (SELECT image_id FROM image_files WHERE state = 'writing' AND ${which}) ORDER BY id FOR UPDATE`,
    values,
  )
  const files = await tx.query<{ imageId: ImageId }>(
    `UPDATE image_files SET state = 'removed', lease_until = clock_timestamp()
     WHERE state = 'writing' AND ${which} RETURNING image_id AS "imageId"`,
    values,
  )
  const returned = files.map((file) => file.imageId).filter((id) => images.some((image) => image.id === id))
  await tx.execute(`UPDATE images SET status = 'queued', updated_at = clock_timestamp() WHERE id = ANY ($1::uuid[])`, [returned])
  return returned
}

/** Whether any upload is under way, or any file left to be deleted. */
export async function hasFilesToSweep(db: Queryable): Promise<boolean> {
  const rows = await db.query(`SELECT FROM image_files WHERE state IN ('writing', 'removed') LIMIT 1`)
  return rows.length > 0
}

/** The writers of uploads under way, each once. */
export async function uploadWriters(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ writer: string }>(`SELECT DISTINCT writer FROM image_files WHERE state = 'writing'`)
  return rows.map((row) => row.writer)
}

/** Files that nothing refers to any more. */
export async function removedFiles(db: Queryable): Promise<ImageFileId[]> {
  const rows = await db.query<{ id: ImageFileId }>(
    `SELECT id FROM image_files WHERE state = 'removed' ORDER BY lease_until LIMIT 1000`,
  )
  return rows.map((row) => row.id)
}

/** The file is gone from the disk. */
export async function forgetFile(db: Queryable, fileId: ImageFileId): Promise<void> {
  await db.execute(`DELETE FROM image_files WHERE id = $1 AND state = 'removed'`, [fileId])
}

/** The file with an image's bytes, if it has any. */
export async function findWholeFile(db: Queryable, imageId: ImageId): Promise<ImageFileId | undefined> {
  const [row] = await db.query<{ id: ImageFileId }>(`SELECT id FROM image_files WHERE image_id = $1 AND state = 'whole'`, [
    imageId,
  ])
  return row?.id
}
