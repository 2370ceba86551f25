import { containerFormats, diskFormats, visibilities } from '../images/image.schemas.js'

/** JSON schemas as Glance shows them (`/v2/schemas/image` and its kin): clients make their forms and checks of them. */

const uuidPattern = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$'
const nullable = (type: string) => ['null', type]
const readOnly = true

const imageProperties = {
  id: { type: 'string', description: 'An identifier for the image', pattern: uuidPattern },
  name: { type: nullable('string'), description: 'Descriptive name for the image', maxLength: 255 },
  status: {
    type: 'string',
    readOnly,
    description: 'Status of the image',
    enum: ['queued', 'saving', 'active', 'killed', 'deleted', 'uploading', 'importing', 'pending_delete', 'deactivated'],
  },
  visibility: { type: 'string', description: 'Scope of image accessibility', enum: visibilities },
  protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
  os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
  checksum: { type: nullable('string'), readOnly, description: 'md5 hash of image contents.', maxLength: 32 },
  os_hash_algo: { type: nullable('string'), readOnly, description: 'Algorithm to calculate the os_hash_value', maxLength: 64 },
  os_hash_value: {
    type: nullable('string'),
    readOnly,
    description: 'Hexdigest of the image contents using the algorithm specified by the os_hash_algo',
    maxLength: 128,
  },
  owner: { type: nullable('string'), description: 'Owner of the image', maxLength: 255 },
  size: { type: nullable('integer'), readOnly, description: 'Size of image file in bytes' },
  virtual_size: { type: nullable('integer'), readOnly, description: 'Virtual size of image in bytes' },
  container_format: { type: nullable('string'), description: 'Format of the container', enum: [null, ...containerFormats] },
  disk_format: { type: nullable('string'), description: 'Format of the disk', enum: [null, ...diskFormats] },
  created_at: { type: 'string', readOnly, description: 'Date and time of image registration' },
  updated_at: { type: 'string', readOnly, description: 'Date and time of the last image modification' },
  tags: { type: 'array', description: 'List of strings related to the image', items: { type: 'string', maxLength: 255 } },
  min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
  min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
  self: { type: 'string', readOnly, description: 'An image self url' },
  file: { type: 'string', readOnly, description: 'An image file url' },
  schema: { type: 'string', readOnly, description: 'An image schema url' },
}

const memberProperties = {
  member_id: { type: 'string', description: 'An identifier for the image member (tenantId)' },
  image_id: { type: 'string', description: 'An identifier for the image', pattern: uuidPattern },
  created_at: { type: 'string', description: 'Date and time of image member creation' },
  updated_at: { type: 'string', description: 'Date and time of last modification of image member' },
  status: { type: 'string', description: 'The status of this image member', enum: ['pending', 'accepted', 'rejected'] },
  schema: { type: 'string', readOnly },
}

export const imageSchema = {
  name: 'image',
  properties: imageProperties,
  additionalProperties: { type: 'string' },
  links: [
    { rel: 'self', href: '{self}' },
    { rel: 'enclosure', href: '{file}' },
    { rel: 'describedby', href: '{schema}' },
  ],
}

export const imagesSchema = {
  name: 'images',
  properties: {
    images: { type: 'array', items: imageSchema },
    first: { type: 'string' },
    next: { type: 'string' },
    schema: { type: 'string' },
  },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
}

export const memberSchema = { name: 'member', properties: memberProperties }

export const membersSchema = {
  name: 'members',
  properties: { members: { type: 'array', items: memberSchema }, schema: { type: 'string' } },
  links: [{ rel: 'describedby', href: '{schema}' }],
}
