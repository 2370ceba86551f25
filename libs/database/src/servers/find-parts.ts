import type { ImageId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { flavorRowColumns, type FlavorRow } from '../flavors/flavor-row.js'
import { mayUseFlavor, type FlavorViewer } from '../flavors/flavors.js'

/** What the making of a server asks of its image. */
export interface ServerImageRow {
  id: ImageId
  status: string
  minDiskGiB: number
  minMemoryMiB: number
  sizeBytes: number
  virtualBytes: number | null
}

/** What a new server is made from, by the ids in its request. */
export interface PartIds {
  flavorId: string
  imageId: string | null
}

const findParts = `
  SELECT to_json(flavor) AS flavor, to_json(image) AS image FROM (SELECT) one
  LEFT JOIN (SELECT ${flavorRowColumns} FROM flavors f WHERE f.id = $1 AND ${mayUseFlavor('$2', '$3')}) flavor ON true
  LEFT JOIN (
    SELECT i.id, i.status, i.min_disk_gib AS "minDiskGiB", i.min_memory_mib AS "minMemoryMiB",
      COALESCE(i.size_bytes, 0) AS "sizeBytes", i.virtual_bytes AS "virtualBytes"
    FROM images i WHERE i.id = $4 AND (i.project_id = $2 OR i.visibility IN ('public', 'community')
      OR (i.visibility = 'shared' AND EXISTS (SELECT FROM image_members m WHERE m.image_id = i.id AND m.project_id = $2)))
  ) image ON true`

/**
 * The flavor and the image, each where it is there and `viewer` may use it: an image that is its project's own, public,
 * community or shared with it. One statement: it stands in every create.
 */
export async function findServerParts(
  db: Queryable,
  { flavorId, imageId }: PartIds,
  viewer: FlavorViewer,
): Promise<{ flavor: FlavorRow | undefined; image: ServerImageRow | undefined }> {
  const [row] = await db.query<{ flavor: FlavorRow | null; image: ServerImageRow | null }>(findParts, [
    flavorId,
    viewer.projectId ?? null,
    viewer.seesAll,
    imageId,
  ])
  return { flavor: row!.flavor ?? undefined, image: row!.image ?? undefined }
}
