import type { ImageCondition, ImageListing, ImageSort, ImageSortKey, NumberColumn, TextColumn } from '@nubo/database'
import { CloudError, type ImageId } from '@nubo/kernel'
import { timeComparisonOf, valuesOf } from './filter-operators.js'
import { isStorable, visibilities } from './image.schemas.js'

const defaultLimit = 25
const maxLimit = 1000

/** What a listing asks for, whoever asks. */
export type ImageQuery = Omit<ImageListing, 'viewer' | 'mostImageBytes'>

const plainQuery: ImageQuery = {
  hidden: false,
  visibility: undefined,
  memberStatus: 'accepted',
  conditions: [],
  sort: [],
  marker: undefined,
  limit: defaultLimit,
}

const withOperators: ReadonlySet<string> = new Set(['name', 'id', 'status', 'container_format', 'disk_format'])
const plainText: ReadonlySet<string> = new Set(['checksum', 'os_hash_value', 'owner'])
const numbers: ReadonlySet<string> = new Set(['size', 'virtual_size', 'min_disk', 'min_ram'])

/** Reads the query of `GET /v2/images` as Glance does (`images.py`, `RequestDeserializer.index`). Throws Invalid. */
export function readImageQuery(parameters: URLSearchParams): ImageQuery {
  if (parameters.size === 0) return plainQuery
  const query = { ...plainQuery, conditions: [] as ImageCondition[] }
  for (const name of new Set(parameters.keys())) {
    const given = parameters.getAll(name)
    if (![name, ...given].every(isStorable)) throw invalid('Error decoding your request.')
    readParameter(query, name, given)
  }
  query.sort = readSort(parameters)
  return query
}

/** Of a parameter given more than once, the last counts; but every tag must be there. */
function readParameter(query: ImageQuery & { conditions: ImageCondition[] }, name: string, given: readonly string[]): void {
  const value = given.at(-1)!
  switch (name) {
    case 'sort':
    case 'sort_key':
    case 'sort_dir':
    case 'deleted':
      return
    case 'limit':
      query.limit = readLimit(value)
      return
    case 'marker':
      query.marker = readMarker(value)
      return
    case 'member_status':
      query.memberStatus = oneOf(['pending', 'accepted', 'rejected', 'all'] as const, value, `Invalid status: ${value}`)
      return
    case 'visibility':
      if (value !== '') query.visibility = oneOf([...visibilities, 'all'] as const, value, `Invalid visibility value: ${value}`)
      return
    case 'os_hidden':
      query.hidden = readBoolean('os_hidden', value.toLowerCase())
      return
    case 'changes-since':
      throw invalid('The "changes-since" filter is no longer available on v2.')
    default:
      query.conditions.push(readCondition(name, value, given))
  }
}

function readCondition(name: string, value: string, given: readonly string[]): ImageCondition {
  if (name === 'tag') return { tags: given.map((tag) => tag.trim()) }
  if (name === 'protected') return { protected: readBoolean('protected', value) }
  if (name === 'created_at' || name === 'updated_at') return { column: name, ...timeComparisonOf(name, value) }
  if (withOperators.has(name)) return { column: name as TextColumn, oneOf: valuesOf(value) }
  if (plainText.has(name)) return { column: name as TextColumn, oneOf: [value] }
  const [, column, bound] = /^(.+)_(min|max)$/.exec(name) ?? []
  if (column !== undefined && numbers.has(column)) {
    return { column: column as NumberColumn, comparison: bound === 'min' ? '>=' : '<=', value: readNumber(value) }
  }
  if (numbers.has(name)) return { column: name as NumberColumn, comparison: '=', value: readNumber(value) }
  return { property: name, value }
}

const sortKeys: readonly ImageSortKey[] = [
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
]

/** `sort=name:asc,size` or `sort_key=name&sort_dir=asc&...`, not both. */
function readSort(parameters: URLSearchParams): ImageSort[] {
  const keys = parameters.getAll('sort_key')
  const directions = parameters.getAll('sort_dir')
  const sort = parameters.get('sort')
  if (sort !== null) {
    if (keys.length + directions.length > 0) throw invalid('Old and new sorting syntax cannot be combined')
    return unrepeated(sort.trim().split(',').map(readSortItem))
  }
  if (directions.length > 1 && directions.length !== keys.length) {
    throw invalid('Number of sort dirs does not match the number of sort keys')
  }
  if (keys.length === 0 && directions.length === 0) return []
  const named = keys.length > 0 ? keys : ['created_at']
  return unrepeated(named.map((key, index) => sortBy(key, directions[index] ?? directions[0] ?? 'desc')))
}

function readSortItem(item: string): ImageSort {
  const [key = '', direction = ''] = item.split(':', 2)
  return sortBy(key, direction === '' ? 'desc' : direction)
}

function sortBy(key: string, direction: string): ImageSort {
  const known = `Invalid sort key: ${key.trim()}. It must be one of the following: ${sortKeys.join(', ')}.`
  return {
    key: oneOf(sortKeys, key.trim(), known),
    direction: oneOf(['asc', 'desc'] as const, direction.trim(), `Invalid sort direction: ${direction.trim()}`),
  }
}

/** A key that was sorted by already orders nothing more. */
const unrepeated = (sort: ImageSort[]) =>
  sort.filter((item, index) => sort.findIndex((other) => other.key === item.key) === index)

function readLimit(text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw invalid('limit param must be an integer')
  const limit = Number(text)
  if (limit < 0) throw invalid('limit param must be positive')
  return Math.min(limit, maxLimit)
}

function readMarker(text: string): ImageId {
  const id = text.toLowerCase()
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw unknownMarker(text)
  return id as ImageId
}

export const unknownMarker = (marker: string) => invalid(`No image found with ID ${marker}`)

function readNumber(text: string): number {
  const value = Number(text)
  if (!/^\s*[+-]?\d+\s*$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid('Unable to filter on a range with a non-numeric value.')
  }
  return value
}

function readBoolean(name: string, text: string): boolean {
  const message = `Invalid value '${text}' for '${name}' filter. Valid values are 'true' or 'false'.`
  return oneOf(['true', 'false'] as const, text, message) === 'true'
}

function oneOf<const T extends string>(values: readonly T[], value: string, message: string): T {
  if (!values.includes(value as T)) throw invalid(message)
  return value as T
}

const invalid = (message: string) => new CloudError('Invalid', message)
