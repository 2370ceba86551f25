import type { ImageId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { imageColumns, type ImageRow, type ImageViewer, type ImageVisibility, type MemberStatus } from './image-row.js'

export type TextColumn = 'name' | 'id' | 'status' | 'container_format' | 'disk_format' | 'checksum' | 'os_hash_value' | 'owner'
export type NumberColumn = 'size' | 'virtual_size' | 'min_disk' | 'min_ram'
export type TimeColumn = 'created_at' | 'updated_at'
export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

/** A condition that every listed image meets. */
export type ImageCondition =
  | { column: TextColumn; oneOf: readonly string[] }
  | { column: NumberColumn; comparison: Comparison; value: number }
  /** Times are compared by the second, which is all that clients ever see of them. */
  | { column: TimeColumn; comparison: Comparison; value: Date }
  | { protected: boolean }
  | { tags: readonly string[] }
  | { property: string; value: string }

export type ImageSortKey = 'name' | 'status' | 'container_format' | 'disk_format' | 'size' | 'id' | 'created_at' | 'updated_at'
export interface ImageSort {
  key: ImageSortKey
  direction: 'asc' | 'desc'
}

export interface ImageListing {
  viewer: ImageViewer
  hidden: boolean
  /** Undefined: everything but the community images of others. */
  visibility: ImageVisibility | 'all' | undefined
  /** Which of the images shared with the viewer's project are listed. */
  memberStatus: MemberStatus | 'all'
  conditions: readonly ImageCondition[]
  /** Completed by created_at and id, so that the order is total. */
  sort: readonly ImageSort[]
  /** The last image of the page before: the page begins behind it. The viewer must be able to see it. */
  marker: ImageId | undefined
  limit: number
  /** What the properties and tags of one image take at most. */
  mostImageBytes: number
}

const columnExpressions: Record<TextColumn | NumberColumn, string> = {
  name: 'i.name',
  id: 'i.id::text',
  status: 'i.status',
  container_format: 'i.container_format',
  disk_format: 'i.disk_format',
  checksum: 'i.md5',
  os_hash_value: 'i.sha512',
  owner: 'i.project_id',
  size: 'i.size_bytes',
  virtual_size: 'i.virtual_bytes',
  min_disk: 'i.min_disk_gib',
  min_ram: 'i.min_memory_mib',
}

/** What images are ordered by; what is unknown comes before what is known. `t` is a table's alias. */
const sortExpressions: Record<ImageSortKey, (t: string) => string> = {
  name: (t) => `COALESCE(${t}.name, '')`,
  status: (t) => `${t}.status`,
  container_format: (t) => `COALESCE(${t}.container_format, '')`,
  disk_format: (t) => `COALESCE(${t}.disk_format, '')`,
  size: (t) => `COALESCE(${t}.size_bytes, 0)`,
  id: (t) => `${t}.id`,
  created_at: (t) => `${t}.created_at`,
  updated_at: (t) => `${t}.updated_at`,
}

const defaultSort: readonly ImageSort[] = [
  { key: 'created_at', direction: 'desc' },
  { key: 'id', direction: 'desc' },
]

export interface ImagePage {
  images: ImageRow[]
  /** There may be more behind it. */
  hasMore: boolean
}

/**
 * What the properties and tags of a page take together, at most beside its last image's: a thousand images may have a hundred
 * megabytes of them, and many may ask at once.
 */
export const pageBytes = 8 * 1024 * 1024

const bytesOf = `octet_length(i.properties::text) + octet_length(array_to_string(i.tags, ','))`

/**
 * One page of images, which ends before its limit where it would take too much. Its plain form, which clients ask for most, is a
 * statement kept prepared.
 */
export async function listImages(db: Database, listing: ImageListing): Promise<ImagePage> {
  const values: unknown[] = []
  const parameter = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  const where = [visibleTo(listing, parameter), `i.hidden = ${parameter(listing.hidden, 'boolean')}`]
  for (const condition of listing.conditions) where.push(conditionSql(condition, parameter))
  const sort = totalOrder(listing.sort)
  let from = 'images i'
  if (listing.marker !== undefined) {
    from += ` JOIN images marker ON marker.id = ${parameter(listing.marker, 'uuid')}`
    where.push(behindMarker(sort))
  }
  const order = sort.map(({ key, direction }) => `${sortExpressions[key]('i')} ${direction}`).join(', ')
  const tail = `FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT ${parameter(listing.limit, 'int')}`
  const isPlain = listing.conditions.length === 0 && listing.sort.length === 0
  const read = <Row>(text: string) => (isPlain ? db.query<Row>(text, values) : db.queryOnce<Row>(text, values))
  if (listing.limit * listing.mostImageBytes > pageBytes) return weighedPage(listing.limit, order, tail, read)
  const images = await read<ImageRow>(`SELECT ${imageColumns} ${tail}`)
  return { images, hasMore: images.length === listing.limit && images.length > 0 }
}

/** A page that may take too much: weighing costs half as much again as reading it. */
async function weighedPage(
  limit: number,
  order: string,
  tail: string,
  read: <Row>(text: string) => Promise<Row[]>,
): Promise<ImagePage> {
  const weighed = `SELECT i.*, sum(${bytesOf}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - (${bytesOf}) AS before,
    count(*) OVER () AS found FROM (SELECT i.* ${tail}) i`
  const rows = await read<ImageRow & { found: number }>(
    `SELECT ${imageColumns}, i.found FROM (${weighed}) i WHERE i.before < ${pageBytes} ORDER BY ${order}`,
  )
  const hasMore = rows.length > 0 && (rows.length === limit || rows.length < rows[0]!.found)
  return { images: rows.map(({ found: _, ...image }) => image), hasMore }
}

type Parameter = (value: unknown, type: string) => string

function visibleTo(listing: ImageListing, parameter: Parameter): string {
  const { viewer, visibility, memberStatus } = listing
  // Only where it is used: PostgreSQL wants to know what every parameter is for.
  let named: string | undefined
  const project = () => (named ??= parameter(viewer.projectId ?? null, 'text'))
  const conditions: string[] = []
  if (visibility === undefined) conditions.push(`(i.visibility <> 'community' OR i.project_id = ${project()})`)
  else if (visibility !== 'all') conditions.push(`i.visibility = ${parameter(visibility, 'text')}`)
  if (!viewer.admin) {
    const status = memberStatus === 'all' ? '' : `AND m.status = ${parameter(memberStatus, 'text')}`
    conditions.push(`(i.visibility IN ('public', 'community') OR i.project_id = ${project()} OR (i.visibility = 'shared' AND EXISTS
      (SELECT FROM image_members m WHERE m.image_id = i.id AND m.project_id = ${project()} ${status})))`)
  }
  return conditions.length > 0 ? conditions.join(' AND ') : 'true'
}

function conditionSql(condition: ImageCondition, parameter: Parameter): string {
  if ('oneOf' in condition) return `${columnExpressions[condition.column]} = ANY (${parameter(condition.oneOf, 'text[]')})`
  if ('tags' in condition) return `i.tags @> ${parameter(condition.tags, 'text[]')}`
  if ('property' in condition)
    return `i.properties ->> ${parameter(condition.property, 'text')} = ${parameter(condition.value, 'text')}`
  if ('protected' in condition) return `i.protected = ${parameter(condition.protected, 'boolean')}`
  if (condition.value instanceof Date) {
    return `date_trunc('second', i.${condition.column}) ${condition.comparison} ${parameter(condition.value, 'timestamptz')}`
  }
  return `${columnExpressions[condition.column as NumberColumn]} ${condition.comparison} ${parameter(condition.value, 'bigint')}`
}

function totalOrder(sort: readonly ImageSort[]): ImageSort[] {
  const order = sort.length > 0 ? [...sort] : [...defaultSort]
  const lastDirection = sort.length === 1 ? sort[0]!.direction : 'desc'
  for (const key of ['created_at', 'id'] as const) {
    if (!order.some((item) => item.key === key)) order.push({ key, direction: lastDirection })
  }
  return order
}

/** Rows that come later in the order than the marker, key by key: directions may differ, so no row comparison will do. */
function behindMarker(sort: readonly ImageSort[]): string {
  const alternatives = sort.map(({ key, direction }, index) => {
    const equal = sort
      .slice(0, index)
      .map((before) => `${sortExpressions[before.key]('i')} = ${sortExpressions[before.key]('marker')}`)
    const later = `${sortExpressions[key]('i')} ${direction === 'asc' ? '>' : '<'} ${sortExpressions[key]('marker')}`
    return `(${[...equal, later].join(' AND ')})`
  })
  return `(${alternatives.join(' OR ')})`
}
