import type { ProjectId } from '@nubo/kernel'
import type { ServerQuota } from '../servers/quota-use.js'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface ProjectRow {
  projectId: ProjectId
  counted: ServerQuota
  used: ServerQuota
}

const readProjects = `
  WITH used AS (
    SELECT project_id, count(*) AS instances, sum(vcpus) AS cores, sum(memory_mib) AS ram_mib
    FROM servers WHERE deleted_at IS NULL GROUP BY project_id)
  SELECT COALESCE(q.project_id, u.project_id) AS "projectId",
    jsonb_build_object('instances', COALESCE(q.used_instances, 0), 'cores', COALESCE(q.used_cores, 0), 'ramMiB', COALESCE(q.used_ram_mib, 0)) AS counted,
    jsonb_build_object('instances', COALESCE(u.instances, 0), 'cores', COALESCE(u.cores, 0), 'ramMiB', COALESCE(u.ram_mib, 0)) AS used
  FROM project_quotas q FULL JOIN used u ON u.project_id = q.project_id
  WHERE (COALESCE(q.used_instances, 0), COALESCE(q.used_cores, 0), COALESCE(q.used_ram_mib, 0))
    IS DISTINCT FROM (COALESCE(u.instances, 0), COALESCE(u.cores, 0), COALESCE(u.ram_mib, 0))
  ORDER BY 1 LIMIT $1`

/**
 * Promise 8: what a project is said to use is what its servers have. That it is not above its limits is what the statement
 * that takes it sees to; a limit that was lowered since is no fault.
 */
export const quotaIsCounted: RecordCheck = async (db, { limit }) => {
  const projects = await db.query<ProjectRow>(readProjects, [limit])
  return projects.map(({ projectId, counted, used }) =>
    finding('quota.use-differs', {
      about: { projectId },
      message: `Project ${projectId} is counted as using ${words(counted)}; its servers have ${words(used)}.`,
      found: { counted, used },
    }),
  )
}

function words({ instances, cores, ramMiB }: ServerQuota): string {
  return `${instances} instances, ${cores} cores, ${ramMiB} MiB of memory`
}
