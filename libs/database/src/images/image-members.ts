import type { ImageId, ProjectId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import type { MemberStatus } from './image-row.js'

/** A project that an image is shared with, and what it said to that. */
export interface ImageMemberRow {
  imageId: ImageId
  projectId: ProjectId
  status: MemberStatus
  createdAt: Date
  updatedAt: Date
}

const columns = 'image_id AS "imageId", project_id AS "projectId", status, created_at AS "createdAt", updated_at AS "updatedAt"'

/** Shares a locked image with a project, which has yet to accept. */
export async function insertImageMember(
  tx: Transaction,
  imageId: ImageId,
  projectId: ProjectId,
  limit: number,
): Promise<ImageMemberRow | 'duplicate' | { attempted: number }> {
  const [{ count, already }] = (await tx.query<{ count: number; already: boolean }>(
    `SELECT count(*) AS count, COALESCE(bool_or(project_id = $2), false) AS already FROM image_members WHERE image_id = $1`,
    [imageId, projectId],
  )) as [{ count: number; already: boolean }]
  if (already) return 'duplicate'
  if (count >= limit) return { attempted: count + 1 }
  const [row] = await tx.query<ImageMemberRow>(
    `INSERT INTO image_members (image_id, project_id) VALUES ($1, $2) RETURNING ${columns}`,
    [imageId, projectId],
  )
  return row!
}

/** In the order in which they were added. */
export function listImageMembers(db: Queryable, imageId: ImageId): Promise<ImageMemberRow[]> {
  return db.query<ImageMemberRow>(`SELECT ${columns} FROM image_members WHERE image_id = $1 ORDER BY created_at, project_id`, [
    imageId,
  ])
}

export async function findImageMember(
  db: Queryable,
  imageId: ImageId,
  projectId: ProjectId,
): Promise<ImageMemberRow | undefined> {
  const [row] = await db.query<ImageMemberRow>(`SELECT ${columns} FROM image_members WHERE image_id = $1 AND project_id = $2`, [
    imageId,
    projectId,
  ])
  return row
}

/** Undefined if the image is not shared with that project. */
export async function setImageMemberStatus(
  db: Queryable,
  imageId: ImageId,
  projectId: ProjectId,
  status: MemberStatus,
): Promise<ImageMemberRow | undefined> {
  const [row] = await db.query<ImageMemberRow>(
    `UPDATE image_members SET status = $3, updated_at = clock_timestamp() WHERE image_id = $1 AND project_id = $2 RETURNING ${columns}`,
    [imageId, projectId, status],
  )
  return row
}

/** False if the image was not shared with that project. */
export async function deleteImageMember(db: Queryable, imageId: ImageId, projectId: ProjectId): Promise<boolean> {
  return (await db.execute('DELETE FROM image_members WHERE image_id = $1 AND project_id = $2', [imageId, projectId])) === 1
}
