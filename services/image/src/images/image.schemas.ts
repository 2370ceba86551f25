import { InputError } from '@nubo/wire'
import { z } from 'zod'

/** What guests may be started from here. Glance knows more formats, and lets an operator choose, as we did. */
export const diskFormats = ['raw', 'qcow2'] as const
export const containerFormats = ['bare'] as const
export const visibilities = ['community', 'public', 'private', 'shared'] as const

const uuidPattern = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$'
const maxInt32 = 2 ** 31 - 1

/** Text that PostgreSQL takes: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

const storable = z.string().refine(isStorable, { error: 'Characters that cannot be stored' })
/** Of an image's texts that are not a property's value, in UTF-16 units. */
export const shortLength = 255
const short = storable.max(shortLength)
const notNegative = z
  .int()
  .max(maxInt32)
  .refine((value) => value >= 0, { error: 'Cannot be a negative value' })

/** The attributes that a tenant sets, as Glance's schema has them (`get_base_properties`). Everything else is a property. */
const attributes = {
  id: z.string().regex(new RegExp(uuidPattern)),
  name: short.nullable(),
  visibility: z.enum(visibilities),
  protected: z.boolean(),
  os_hidden: z.boolean(),
  owner: short.min(1),
  container_format: z.enum([null as never, ...containerFormats]).nullable(),
  disk_format: z.enum([null as never, ...diskFormats]).nullable(),
  min_ram: notNegative,
  min_disk: notNegative,
  tags: z.array(short),
} satisfies Record<string, z.ZodType>

/** Partial: both a new image and one change of one. */
export const imageBody = z.object(attributes).partial().catchall(storable)
export type ImageBody = z.infer<typeof imageBody>

export const attributeNames: ReadonlySet<string> = new Set(Object.keys(attributes))

/** Set by the service alone. */
export const readOnlyNames: ReadonlySet<string> = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'stores',
  'os_hash_algo',
  'os_hash_value',
])

const reservedNames: ReadonlySet<string> = new Set(['location', 'locations', 'deleted', 'deleted_at', '__proto__'])

/** Names that no property may have. */
export const isReservedName = (name: string): boolean => reservedNames.has(name) || name.startsWith('os_glance_')

/** Holds `body` against the schema. Throws `InputError`. */
export function parseImageBody(body: unknown): ImageBody {
  const result = imageBody.safeParse(body)
  if (!result.success) throw new InputError('body', body, result.error.issues)
  return result.data
}
