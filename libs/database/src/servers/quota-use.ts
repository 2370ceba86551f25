import type { ProjectId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

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

/**
 * The check and the use are one conditional write of the project's row, so that racing requests cannot take more than the
 * limits: $2-$4 are wanted, $5-$7 the defaults for what the project has no limit of its own for.
 */
const useQuota = `
  INSERT INTO project_quotas AS q (project_id, used_instances, used_cores, used_ram_mib)
  SELECT $1, $2, $3, $4
  WHERE EXISTS (SELECT FROM project_quotas WHERE project_id = $1)
     OR (($5 < 0 OR $2 <= $5) AND ($6 < 0 OR $3 <= $6) AND ($7 < 0 OR $4 <= $7))
  ON CONFLICT (project_id) DO UPDATE SET used_instances = q.used_instances + $2, used_cores = q.used_cores + $3,
    used_ram_mib = q.used_ram_mib + $4
  WHERE (COALESCE((q.limits->>'instances')::int, $5) < 0 OR q.used_instances + $2 <= COALESCE((q.limits->>'instances')::int, $5))
    AND (COALESCE((q.limits->>'cores')::int, $6) < 0 OR q.used_cores + $3 <= COALESCE((q.limits->>'cores')::int, $6))
    AND (COALESCE((q.limits->>'ramMiB')::int, $7) < 0 OR q.used_ram_mib + $4 <= COALESCE((q.limits->>'ramMiB')::int, $7))`

/** False if the project's limits do not allow it; nothing is taken then. */
export async function takeServerQuota(
  tx: Transaction,
  projectId: ProjectId,
  wanted: ServerQuota,
  defaults: Readonly<ServerQuota>,
): Promise<boolean> {
  const values = [projectId, wanted.instances, wanted.cores, wanted.ramMiB, defaults.instances, defaults.cores, defaults.ramMiB]
  return (await tx.execute(useQuota, values)) === 1
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
