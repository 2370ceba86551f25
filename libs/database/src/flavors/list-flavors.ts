import type { Queryable } from '../connection.js'
import { flavorRowColumns, type FlavorRow } from './flavor-row.js'
import type { FlavorViewer } from './flavors.js'

/**
 * Nova's sort keys (`nova/api/openstack/compute/schemas/flavors.py`) and what they are here. Flavors have no number of
 * their own and are not changed, disabled or weighed: those keys sort by age.
 */
const sortColumns = {
  created_at: 'created_at',
  description: "COALESCE(description, '')",
  disabled: 'created_at',
  ephemeral_gb: 'ephemeral_gib',
  flavorid: 'id',
  id: 'created_at',
  is_public: 'public',
  memory_mb: 'memory_mib',
  name: 'name',
  root_gb: 'disk_gib',
  rxtx_factor: 'rxtx_factor',
  swap: 'swap_mib',
  updated_at: 'created_at',
  vcpu_weight: 'created_at',
  vcpus: 'vcpus',
} as const
export type FlavorSortKey = keyof typeof sortColumns
export const flavorSortKeys = Object.keys(sortColumns) as FlavorSortKey[]

export interface FlavorListRequest {
  viewer: FlavorViewer
  /** True: public flavors and those that the project has access to; false: the others; undefined: all of them. */
  public: boolean | undefined
  minMemoryMiB: number
  minDiskGiB: number
  sortKey: FlavorSortKey
  descending: boolean
  limit: number
  /** The flavor after which the page begins. */
  marker: string | undefined
}

/** One page of flavors; undefined where there is no flavor `marker`. */
export async function listFlavors(db: Queryable, request: FlavorListRequest): Promise<FlavorRow[] | undefined> {
  const { marker, viewer } = request
  const values = [
    request.public ?? null,
    viewer.projectId ?? null,
    request.minMemoryMiB,
    request.minDiskGiB,
    request.limit,
    ...(marker === undefined ? [] : [marker]),
  ]
  const rows = await db.query<FlavorRow>(statement(request), values)
  if (rows.length > 0 || marker === undefined) return rows
  const known = await db.query('SELECT FROM flavors WHERE id = $1', [marker])
  return known.length > 0 ? rows : undefined
}

/** Of a fixed, small set of texts, so that each stays prepared. */
function statement({ sortKey, descending, marker }: FlavorListRequest): string {
  const column = sortColumns[sortKey]
  const direction = descending ? 'DESC' : 'ASC'
  const position = column === 'id' ? 'id' : `(${column}, id)`
  const after = `AND ${position} ${descending ? '<' : '>'} (SELECT ${column}${column === 'id' ? '' : ', id'} FROM flavors WHERE id = $6)`
  return `
    SELECT ${flavorRowColumns} FROM flavors f
    WHERE ($1::boolean IS NULL OR public = $1
        OR ($1 AND EXISTS (SELECT FROM flavor_access a WHERE a.flavor_id = f.id AND a.project_id = $2)))
      AND memory_mib >= $3 AND disk_gib >= $4 ${marker === undefined ? '' : after}
    ORDER BY ${column} ${direction}${column === 'id' ? '' : `, id ${direction}`} LIMIT $5`
}
