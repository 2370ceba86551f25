import type { ImageRow } from '@nubo/database'
import { secondsTimestamp } from '@nubo/wire'

/** An image on the wire: its own properties beside Glance's attributes, which win (`glance/api/v2/images.py`, `_format_image`). */
export function imageView(image: ImageRow): Record<string, unknown> {
  const path = `/v2/images/${image.id}`
  return {
    ...image.properties,
    name: image.name,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    visibility: image.visibility,
    size: image.sizeBytes,
    virtual_size: image.virtualBytes,
    status: image.status,
    checksum: image.md5,
    protected: image.protected,
    min_ram: image.minMemoryMib,
    min_disk: image.minDiskGib,
    owner: image.projectId,
    os_hidden: image.hidden,
    os_hash_algo: image.sha512 === null ? null : 'sha512',
    os_hash_value: image.sha512,
    id: image.id,
    created_at: secondsTimestamp(image.createdAt),
    updated_at: secondsTimestamp(image.updatedAt),
    tags: image.tags,
    self: path,
    file: `${path}/file`,
    schema: '/v2/schemas/image',
  }
}

/** A page of images. `query` is what was asked, and goes on in the links. */
export function imagesView(images: readonly ImageRow[], query: URLSearchParams, hasMore: boolean): Record<string, unknown> {
  const path = '/v2/images'
  query.delete('marker')
  const view: Record<string, unknown> = {
    images: images.map(imageView),
    first: query.size > 0 ? `${path}?${query}` : path,
    schema: '/v2/schemas/images',
  }
  if (hasMore) {
    query.set('marker', images.at(-1)!.id)
    view['next'] = `${path}?${query}`
  }
  return view
}
