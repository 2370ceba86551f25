import { isCloudAdmin, type Caller } from '@nubo/auth'
import type { RecordCondition, RecordListing, Viewer } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { networkError } from '@nubo/domain'
import { looseBoolean } from '../../compute/parameter-types.js'
import { pythonRepr } from '@nubo/wire'
import { z } from 'zod'
import type { Attributes } from './attribute.js'

/** Any parameters; which of them are known depends on the resource. */
export const anyQuery = z.record(z.string(), z.union([z.string(), z.array(z.string())]))
export type AnyQuery = z.output<typeof anyQuery>

const tagFilters = { tags: 'all', 'tags-any': 'any', 'not-tags': 'not all', 'not-tags-any': 'not any' } as const

/** Parameters that are no filters (`neutron/api/api_common.py`). */
const reserved = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir', 'changed_since'])

export const viewerOf = (caller: Caller): Viewer => ({
  projectId: caller.scope.kind === 'project' ? caller.scope.projectId : null,
  seesAll: isCloudAdmin(caller),
})

/** The attributes that are asked for, or all. */
export const fieldsOf = (query: AnyQuery): ReadonlySet<string> | undefined => {
  const fields = valuesOf(query, 'fields').filter((name) => name !== '')
  return fields.length === 0 ? undefined : new Set(fields)
}

/** What a request for a list asks for. Throws Invalid for what no list can be filtered or sorted by. */
export function listingOf<Row>(
  query: AnyQuery,
  caller: Caller,
  attributes: Attributes<Row>,
  booleans: ReadonlySet<string>,
): RecordListing {
  return {
    viewer: viewerOf(caller),
    conditions: conditionsOf(query, caller, attributes, booleans),
    sort: sortOf(query, attributes),
    limit: limitOf(query),
    marker: valuesOf(query, 'marker').at(-1) || undefined,
    backwards: isBackwards(query),
  }
}

/** Whether the page before the marker is asked for. */
export const isBackwards = (query: AnyQuery): boolean => valuesOf(query, 'page_reverse').at(-1)?.toLowerCase() === 'true'

/** How many at most; undefined for all, which 0 is too. */
export function limitOf(query: AnyQuery): number | undefined {
  const given = valuesOf(query, 'limit').at(-1)
  if (given === undefined || given === '') return undefined
  if (!/^\d+$/.test(given))
    throw networkError('Invalid', 'BadRequest', `Bad limit request: Limit must be an integer 0 or greater and not '${given}'.`)
  return Math.min(Number(given), 0x7f_ff_ff_ff) || undefined
}

const valuesOf = (query: AnyQuery, name: string): string[] => (Object.hasOwn(query, name) ? [query[name]!].flat() : [])

function conditionsOf<Row>(
  query: AnyQuery,
  caller: Caller,
  attributes: Attributes<Row>,
  booleans: ReadonlySet<string>,
): RecordCondition[] {
  const conditions: RecordCondition[] = []
  const unknown: string[] = []
  for (const name of Object.keys(query)) {
    if (reserved.has(name) && (name !== 'changed_since' || attributes['updated_at'])) continue
    const attribute = Object.hasOwn(attributes, name) ? attributes[name]! : undefined
    if (Object.hasOwn(tagFilters, name) && attributes['tags']) {
      const tags = valuesOf(query, name).flatMap((value) => value.split(','))
      conditions.push({ tags, has: tagFilters[name as keyof typeof tagFilters] })
    } else if (attribute?.column !== undefined && (attribute.seenBy?.(caller, {}) ?? true)) {
      const values = valuesOf(query, name)
      const oneOf = booleans.has(attribute.column) ? values.map((value) => booleanOf(name, value)) : values
      conditions.push({ column: attribute.column, oneOf })
    } else unknown.push(name)
  }
  if (unknown.length > 0)
    throw networkError('Invalid', 'HTTPBadRequest', `${pythonRepr(unknown)} is invalid attribute for filtering`)
  conditions.push(...changedSince(query))
  return conditions
}

function booleanOf(name: string, value: string): string {
  const read = looseBoolean(value)
  if (read === undefined)
    throw new CloudError('Invalid', `Invalid input for ${name}. Reason: '${value}' cannot be converted to boolean.`)
  return String(read)
}

const momentText = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/

function changedSince(query: AnyQuery): RecordCondition[] {
  const given = valuesOf(query, 'changed_since').at(-1)
  if (given === undefined) return []
  const moment = momentText.test(given) ? new Date(/(Z|[+-]\d\d:?\d\d)$/.test(given) ? given : `${given}Z`) : undefined
  if (!moment || Number.isNaN(moment.getTime()))
    throw networkError(
      'Invalid',
      'InvalidInput',
      `Invalid input for operation: The input ${given} is not in the format 'YYYY-MM-DDTHH:MM:SS[Z|(+/-)hh:mm]'.`,
    )
  return [{ changedSince: moment }]
}

function sortOf<Row>(query: AnyQuery, attributes: Attributes<Row>): RecordListing['sort'] {
  const columnOf = (name: string) => (Object.hasOwn(attributes, name) ? attributes[name]!.column : undefined)
  const keys = sortKeysOf(query, (name) => columnOf(name) !== undefined)
  return keys.map(({ name, descending }) => ({ column: columnOf(name)!, descending }))
}

/** What a list is to be sorted by, the first key first. Throws Invalid for keys that are none. */
export function sortKeysOf(query: AnyQuery, isKey: (name: string) => boolean): { name: string; descending: boolean }[] {
  const names = valuesOf(query, 'sort_key').filter((key) => key !== '')
  const directions = valuesOf(query, 'sort_dir').filter((direction) => direction !== '')
  if (directions.length !== names.length) throw new CloudError('Invalid', 'The number of sort_keys and sort_dirs must be same')
  const bad = names.filter((name) => !isKey(name))
  if (bad.length > 0) throw new CloudError('Invalid', `${pythonRepr(bad)} is invalid attribute for sort_keys`)
  return names.map((name, index) => ({ name, descending: isDescending(directions[index]!) }))
}

function isDescending(direction: string): boolean {
  if (direction !== 'asc' && direction !== 'desc')
    throw new CloudError('Invalid', `'${direction}' is invalid value for sort_dirs, valid value is 'asc' or 'desc'`)
  return direction === 'desc'
}
