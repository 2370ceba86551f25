import { sortableServerKeys, type ServerFilter, type ServerPage } from '@nubo/database'
import { statusFilter } from '@nubo/domain'
import { CloudError } from '@nubo/kernel'
import { isSearchable } from './search-pattern.js'

/** A query as it comes: one value, or several under one name. */
export type ServerQuery = Readonly<Record<string, string | readonly string[] | undefined>>

export interface ServerListRequest {
  filter: ServerFilter
  sort: ServerPage['sort']
  limit: number
  marker: string | undefined
  allTenants: boolean
  /** A filter that no server can match, as a status that does not exist. */
  matchesNothing: boolean
}

/** Every name that the newest version takes. */
export const serverQueryNames: readonly string[] = [
  ...[
    'access_ip_v4',
    'access_ip_v6',
    'all_tenants',
    'auto_disk_config',
    'availability_zone',
    'block_device_mapping',
    'changes-before',
  ],
  ...[
    'changes-since',
    'config_drive',
    'created_at',
    'deleted',
    'description',
    'display_description',
    'display_name',
    'flavor',
    'host',
  ],
  ...['hostname', 'image', 'image_ref', 'ip', 'ip6', 'kernel_id', 'key_name', 'launch_index', 'launched_at', 'limit', 'locked'],
  ...['locked_by', 'marker', 'metadata', 'name', 'node', 'not-tags', 'not-tags-any', 'power_state', 'progress', 'project_id'],
  ...[
    'ramdisk_id',
    'reservation_id',
    'root_device_name',
    'services',
    'sort_dir',
    'sort_key',
    'soft_deleted',
    'status',
    'system_metadata',
  ],
  ...['tags', 'tags-any', 'task_state', 'tenant_id', 'terminated_at', 'user_id', 'uuid', 'vcpus', 'vm_state', 'statusIsLenient'],
]

/** Nova's max_limit. */
const largestPage = 1_000

/**
 * What a list of servers is asked for by its query. Names that Nova does not know are ignored; values that are none are
 * a 400. Tenants may filter by what they can see; administrators by host and project too
 * (nova/api/openstack/compute/servers.py, _get_servers).
 */
export function readServerQuery(query: ServerQuery, { admin }: { admin: boolean }): ServerListRequest {
  const read = reader(query)
  const unknownName = Object.keys(query).find((name) => !serverQueryNames.includes(name))
  if (unknownName !== undefined)
    throw new CloudError('Invalid', `Additional properties are not allowed ('${unknownName}' was unexpected)`)
  const status = readStatus(query)
  if (!status && query.statusIsLenient === undefined) throw new CloudError('Invalid', `Invalid status value`)
  const deleted = read.flag('deleted') ?? false
  if (deleted && !admin) throw new CloudError('Forbidden', 'Only administrators may list deleted instances')
  const filter: ServerFilter = {
    ...readOwnFilter(read),
    ...(status ?? {}),
    ...(admin ? readAdminFilter(read) : {}),
    deleted: read.text('changes-since') !== undefined && read.text('deleted') === undefined ? 'either' : deleted,
  }
  return {
    filter: withoutUndefined(filter),
    sort: readSort(query),
    limit: readLimit(read),
    marker: read.text('marker'),
    allTenants: read.flag('all_tenants') ?? false,
    matchesNothing: status === undefined,
  }
}

type Reader = ReturnType<typeof reader>

function readOwnFilter(read: Reader): Omit<ServerFilter, 'deleted'> {
  return {
    name: read.pattern('name') ?? read.pattern('display_name'),
    hostname: read.pattern('hostname'),
    description: read.pattern('description') ?? read.pattern('display_description'),
    imageId: read.text('image') ?? read.text('image_ref'),
    flavorId: read.text('flavor'),
    keyName: read.text('key_name'),
    reservationId: read.text('reservation_id'),
    userId: read.text('user_id'),
    accessIpv4: read.text('access_ip_v4'),
    accessIpv6: read.text('access_ip_v6'),
    addressIpv4: read.pattern('ip'),
    addressIpv6: read.pattern('ip6'),
    launchIndex: read.number('launch_index'),
    locked: read.flag('locked'),
    configDrive: read.flag('config_drive'),
    powerState: read.number('power_state'),
    taskState: read.text('task_state'),
    ...(read.all('vm_state').length > 0 ? { vmStates: read.all('vm_state') } : {}),
    ...(read.all('uuid').length > 0 ? { uuids: read.all('uuid').flatMap((value) => value.split(',')) } : {}),
    changedSince: read.time('changes-since'),
    changedBefore: read.time('changes-before'),
    tags: {
      ...(read.text('tags') === undefined ? {} : { all: read.text('tags')!.split(',') }),
      ...(read.text('tags-any') === undefined ? {} : { any: read.text('tags-any')!.split(',') }),
      ...(read.text('not-tags') === undefined ? {} : { notAll: read.text('not-tags')!.split(',') }),
      ...(read.text('not-tags-any') === undefined ? {} : { notAny: read.text('not-tags-any')!.split(',') }),
    },
    ...(read.text('metadata') === undefined ? {} : { metadata: read.metadata('metadata') }),
  }
}

function readAdminFilter(read: Reader): Pick<ServerFilter, 'hostName' | 'projectId'> {
  return {
    hostName: read.text('host') ?? read.text('node'),
    projectId: (read.text('project_id') ?? read.text('tenant_id')) as ServerFilter['projectId'],
  }
}

function readStatus(query: ServerQuery): Pick<ServerFilter, 'states'> | undefined {
  const wanted = list(query.status)
  if (wanted.length === 0) return {}
  const found = statusFilter(wanted)
  if (!found) return undefined
  const { vmStates, taskStates } = found
  return { states: vmStates.map((vmState) => ({ vmState, ...(taskStates ? { taskStates } : {}) })) }
}

function readSort(query: ServerQuery): ServerPage['sort'] {
  const keys = list(query.sort_key)
  const directions = list(query.sort_dir)
  const unknown = keys.find((key) => !sortableServerKeys.includes(key))
  if (unknown !== undefined) throw new CloudError('Invalid', `Invalid input for query parameters sort_key. Value: ${unknown}.`)
  const bad = directions.find((direction) => direction !== 'asc' && direction !== 'desc')
  if (bad !== undefined) throw new CloudError('Invalid', `Unknown sort direction, must be one of: asc, desc. Value: ${bad}.`)
  const sort = keys.map((key, index) => ({ key, descending: (directions[index] ?? directions.at(-1) ?? 'desc') === 'desc' }))
  // A key that was sorted by already orders nothing more, and a thousand of them make a statement of megabytes.
  return sort.filter(({ key }, index) => keys.indexOf(key) === index)
}

function readLimit(read: Reader): number {
  const limit = read.number('limit')
  if (limit === undefined) return largestPage
  if (limit < 0) throw new CloudError('Invalid', 'limit param must be positive')
  return Math.min(limit, largestPage)
}

const truthy = new Set(['1', 't', 'true', 'on', 'y', 'yes'])
const falsy = new Set(['0', 'f', 'false', 'off', 'n', 'no', ''])

function reader(query: ServerQuery) {
  const text = (name: string): string | undefined => list(query[name]).at(-1)
  const invalid = (name: string) => new CloudError('Invalid', `Invalid input for query parameters ${name}. Value: ${text(name)}.`)
  return {
    text,
    all: (name: string) => list(query[name]),
    flag(name: string): boolean | undefined {
      const value = text(name)?.toLowerCase()
      if (value === undefined) return undefined
      if (truthy.has(value)) return true
      // A bare ?all_tenants asks for them; a bare filter value is false.
      if (falsy.has(value)) return value === '' && name === 'all_tenants'
      throw invalid(name)
    },
    number(name: string): number | undefined {
      const value = text(name)
      if (value === undefined) return undefined
      if (!/^-?\d{1,9}$/.test(value)) throw invalid(name)
      return Number(value)
    },
    /** A regular expression that cannot cost PostgreSQL much. */
    pattern(name: string): string | undefined {
      const value = text(name)
      if (value === undefined) return undefined
      if (!isSearchable(value)) throw invalid(name)
      return value
    },
    time(name: string): Date | undefined {
      const value = text(name)
      if (value === undefined) return undefined
      const time = new Date(value)
      if (Number.isNaN(time.getTime()) || !/^\d{4}-\d{2}-\d{2}/.test(value)) throw invalid(name)
      return time
    },
    metadata(name: string): Record<string, string> {
      try {
        const value = JSON.parse(text(name)!) as unknown
        if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, string>
      } catch {
        // Falls through: what is not JSON is as invalid as what is not an object.
      }
      throw invalid(name)
    },
  }
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

function withoutUndefined(filter: ServerFilter): ServerFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as unknown as ServerFilter
}
