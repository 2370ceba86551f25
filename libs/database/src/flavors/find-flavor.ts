import type { FlavorId, ProjectId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

export interface FlavorRow {
  id: FlavorId
  name: string
  description: string | null
  vcpus: number
  memoryMiB: number
  diskGiB: number
  ephemeralGiB: number
  swapMiB: number
  rxtxFactor: number
  public: boolean
  extraSpecs: Record<string, string>
}

export const flavorRowColumns = `f.id, f.name, f.description, f.vcpus, f.memory_mib AS "memoryMiB", f.disk_gib AS "diskGiB",
  f.ephemeral_gib AS "ephemeralGiB", f.swap_mib AS "swapMiB", f.rxtx_factor AS "rxtxFactor", f.public, f.extra_specs AS "extraSpecs"`

/** A flavor that this project may use. */
export async function findFlavorForProject(db: Queryable, id: FlavorId, projectId: ProjectId): Promise<FlavorRow | undefined> {
  const [row] = await db.query<FlavorRow>(
    `SELECT ${flavorRowColumns} FROM flavors f WHERE f.id = $1
       AND (f.public OR EXISTS (SELECT FROM flavor_access a WHERE a.flavor_id = f.id AND a.project_id = $2))`,
    [id, projectId],
  )
  return row
}
