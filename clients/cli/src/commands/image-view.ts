import { imageProperties, type Image } from '../cloud/images.js'
import { humanBytes } from '../output/text.js'
import type { View } from '../output/view.js'
import { statusColour } from './server-view.js'

const bytes = (size: number | null | undefined) => (typeof size === 'number' ? humanBytes(size) : '-')

export const imageView: View<Image> = [
  { key: 'id', title: 'ID', value: (image) => image.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (image) => image.name ?? undefined, listed: true },
  {
    key: 'status',
    title: 'Status',
    value: (image) => image.status,
    colour: (image) => statusColour(image.status),
    listed: true,
    whole: true,
  },
  { key: 'visibility', title: 'Visibility', value: (image) => image.visibility, listed: true },
  { key: 'disk_format', title: 'Format', value: (image) => image.disk_format ?? undefined, listed: true },
  {
    key: 'size_bytes',
    title: 'Size',
    value: (image) => image.size ?? undefined,
    text: (image) => bytes(image.size),
    listed: true,
    right: true,
  },
  {
    key: 'virtual_size_bytes',
    title: 'Virtual size',
    value: (image) => image.virtual_size ?? undefined,
    text: (image) => bytes(image.virtual_size),
  },
  { key: 'min_disk_gib', title: 'Least disk', value: (image) => image.min_disk, text: (image) => `${image.min_disk} GiB` },
  { key: 'min_ram_mib', title: 'Least memory', value: (image) => image.min_ram, text: (image) => `${image.min_ram} MiB` },
  { key: 'container_format', title: 'Container', value: (image) => image.container_format ?? undefined },
  { key: 'checksum', title: 'MD5', value: (image) => image.checksum ?? undefined },
  { key: 'os_hash_algo', title: 'Hash algorithm', value: (image) => image.os_hash_algo ?? undefined },
  { key: 'os_hash_value', title: 'Hash', value: (image) => image.os_hash_value ?? undefined },
  { key: 'protected', title: 'Protected', value: (image) => image.protected },
  { key: 'properties', title: 'Properties', value: imageProperties },
  { key: 'tags', title: 'Tags', value: (image) => image.tags },
  { key: 'owner', title: 'Owner', value: (image) => image.owner },
  { key: 'created_at', title: 'Created', value: (image) => image.created_at },
  { key: 'updated_at', title: 'Updated', value: (image) => image.updated_at },
]
