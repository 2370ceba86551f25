import type { ImageId, ProjectId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** What the making of a server asks of its image. */
export interface ServerImageRow {
  id: ImageId
  status: string
  minDiskGiB: number
  minMemoryMiB: number
  sizeBytes: number
  virtualBytes: number | null
}

/** An image that this project may see: its own, a public or community one, or one that is shared with it. */
export async function findImageForServer(db: Queryable, id: string, projectId: ProjectId): Promise<ServerImageRow | undefined> {
  const [row] = await db.query<ServerImageRow>(
    `SELECT i.id, i.status, i.min_disk_gib AS "minDiskGiB", i.min_memory_mib AS "minMemoryMiB",
       COALESCE(i.size_bytes, 0) AS "sizeBytes", i.virtual_bytes AS "virtualBytes"
     FROM images i WHERE i.id = $1 AND (i.project_id = $2 OR i.visibility IN ('public', 'community')
       OR (i.visibility = 'shared' AND EXISTS (SELECT FROM image_members m WHERE m.image_id = i.id AND m.project_id = $2)))`,
    [id, projectId],
  )
  return row
}
