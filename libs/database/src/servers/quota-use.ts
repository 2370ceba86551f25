import type { ProjectId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** What servers take of a project's quota. */
export interface ServerQuota {
  instances: number
  cores: number
  ramMiB: number
}

/** Limits and use of a project. A limit of -1 is none. */
export interface QuotaState {
  limits: Record<string, number>
  used: ServerQuota
}

/** A project's own limits (what is absent has the default) and what its servers use. */
export async function readQuota(db: Queryable, projectId: ProjectId): Promise<QuotaState> {
  const [row] = await db.query<{ limits: Record<string, number>; instances: number; cores: number; ramMiB: number }>(
    `SELECT limits, used_instances AS instances, used_cores AS cores, used_ram_mib AS "ramMiB" FROM project_quotas WHERE project_id = $1`,
    [projectId],
  )
  if (!row) return { limits: {}, used: { instances: 0, cores: 0, ramMiB: 0 } }
  const { limits, ...used } = row
  return { limits, used }
}
