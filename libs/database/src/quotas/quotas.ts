import type { ProjectId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import type { QuotaState, ServerQuota } from '../servers/quota-use.js'

type StoredLimits = Readonly<Record<string, number>>

/** Limits and use of a project, held against requests that would use more until the transaction ends. */
export async function lockQuota(tx: Transaction, projectId: ProjectId): Promise<QuotaState> {
  await tx.execute('INSERT INTO project_quotas (project_id) VALUES ($1) ON CONFLICT DO NOTHING', [projectId])
  const [row] = await tx.query<{ limits: Record<string, number> } & ServerQuota>(
    `SELECT limits, used_instances AS instances, used_cores AS cores, used_ram_mib AS "ramMiB"
     FROM project_quotas WHERE project_id = $1 FOR UPDATE`,
    [projectId],
  )
  const { limits, ...used } = row!
  return { limits, used }
}

/** Changes the limits that are named and keeps the others. Returns all that the project has of its own. */
export async function setLimits(tx: Transaction, projectId: ProjectId, changes: StoredLimits): Promise<Record<string, number>> {
  const [row] = await tx.query<{ limits: Record<string, number> }>(
    'UPDATE project_quotas SET limits = limits || $2::jsonb WHERE project_id = $1 RETURNING limits',
    [projectId, JSON.stringify(changes)],
  )
  return row!.limits
}

/** Leaves a project with the defaults of these resources: other services keep their limits beside them. */
export async function resetLimits(db: Queryable, projectId: string, resources: readonly string[]): Promise<void> {
  await db.execute('UPDATE project_quotas SET limits = limits - $2::text[] WHERE project_id = $1', [projectId, resources])
}

const useOfUser = `
  SELECT count(*) AS instances, COALESCE(sum(vcpus), 0) AS cores, COALESCE(sum(memory_mib), 0) AS "ramMiB"
  FROM servers WHERE project_id = $1 AND user_id = $2 AND deleted_at IS NULL`

/** What the servers of one user in a project take of its quota. */
export async function readUserUse(db: Queryable, projectId: string, userId: string): Promise<ServerQuota> {
  const [row] = await db.query<ServerQuota>(useOfUser, [projectId, userId])
  return row!
}
