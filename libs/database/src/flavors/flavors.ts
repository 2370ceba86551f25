import type { FlavorId, ProjectId } from '@nubo/kernel'
import { isUniqueViolation, type Queryable } from '../connection.js'
import { flavorRowColumns, type FlavorRow } from './flavor-row.js'

/** Who looks: a project sees public flavors and those it has access to, an administrator sees all. */
export interface FlavorViewer {
  /** Undefined for a token without a project: it sees public flavors alone. */
  projectId: ProjectId | undefined
  seesAll: boolean
}

/** Whether the flavor `f` may be seen and used: by this project, or by who sees all. Both are parameters. */
export const mayUseFlavor = (projectId: string, seesAll: string) =>
  `(${seesAll} OR f.public OR EXISTS (SELECT FROM flavor_access a WHERE a.flavor_id = f.id AND a.project_id = ${projectId}))`

/** A flavor that `viewer` may see. */
export async function findVisibleFlavor(db: Queryable, id: string, viewer: FlavorViewer): Promise<FlavorRow | undefined> {
  const [row] = await db.query<FlavorRow>(
    `SELECT ${flavorRowColumns} FROM flavors f WHERE f.id = $1 AND ${mayUseFlavor('$2', '$3')}`,
    [id, viewer.projectId ?? null, viewer.seesAll],
  )
  return row
}

/** Which of a flavor's names another flavor has already. */
export interface TakenFlavor {
  taken: 'id' | 'name'
}

const insert = `
  INSERT INTO flavors AS f (id, name, description, vcpus, memory_mib, disk_gib, ephemeral_gib, swap_mib, rxtx_factor, public)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${flavorRowColumns}`

export async function insertFlavor(db: Queryable, flavor: Omit<FlavorRow, 'extraSpecs'>): Promise<FlavorRow | TakenFlavor> {
  try {
    const [row] = await db.query<FlavorRow>(insert, [
      flavor.id,
      flavor.name,
      flavor.description,
      flavor.vcpus,
      flavor.memoryMiB,
      flavor.diskGiB,
      flavor.ephemeralGiB,
      flavor.swapMiB,
      flavor.rxtxFactor,
      flavor.public,
    ])
    return row!
  } catch (error) {
    if (isUniqueViolation(error, 'flavors_name_key')) return { taken: 'name' }
    if (isUniqueViolation(error, 'flavors_pkey')) return { taken: 'id' }
    throw error
  }
}

/** Undefined where there is no such flavor. */
export async function describeFlavor(db: Queryable, id: string, description: string | null): Promise<FlavorRow | undefined> {
  const [row] = await db.query<FlavorRow>(
    `UPDATE flavors AS f SET description = $2 WHERE id = $1 RETURNING ${flavorRowColumns}`,
    [id, description],
  )
  return row
}

/** False where there is no such flavor. Servers keep the flavor as it was when they were made. */
export async function deleteFlavor(db: Queryable, id: string): Promise<boolean> {
  return (await db.execute('DELETE FROM flavors WHERE id = $1', [id])) > 0
}

/** Adds to a flavor's extra specs, or changes them. */
export async function setExtraSpecs(db: Queryable, id: FlavorId, specs: Readonly<Record<string, string>>): Promise<void> {
  await db.execute('UPDATE flavors SET extra_specs = extra_specs || $2::jsonb WHERE id = $1', [id, JSON.stringify(specs)])
}

/** False where the flavor has no such extra spec. */
export async function deleteExtraSpec(db: Queryable, id: FlavorId, key: string): Promise<boolean> {
  return (await db.execute('UPDATE flavors SET extra_specs = extra_specs - $2 WHERE id = $1 AND extra_specs ? $2', [id, key])) > 0
}
