import type { Compute } from './compute.js'
import { looksLikeId, pick } from './names.js'
import { fetchAll, withQuery } from './pages.js'

/** How much of one thing a project may have; -1 is without limit. */
export interface Quota {
  resource: string
  limit: number
  inUse: number | undefined
  reserved: number | undefined
}

type WireQuota = number | { limit: number; in_use: number; reserved: number }

/** `GET /os-quota-sets/{project}/detail`, or `/defaults`, which has limits alone. */
export async function getQuotas(compute: Compute, projectId: string, which: 'detail' | 'defaults'): Promise<Quota[]> {
  const path = `/os-quota-sets/${encodeURIComponent(projectId)}/${which}`
  const { quota_set } = await compute.get<{ quota_set: Record<string, WireQuota | string> }>(path, 'Reading the quotas')
  return Object.entries(quota_set).flatMap(([resource, quota]): Quota[] => {
    if (typeof quota === 'number') return [{ resource, limit: quota, inUse: undefined, reserved: undefined }]
    if (typeof quota === 'string') return []
    return [{ resource, limit: quota.limit, inUse: quota.in_use, reserved: quota.reserved }]
  })
}

/** What of the limits API belongs together: the resource, its limit and how much is used. */
const absoluteLimits: [resource: string, limit: string, used: string | undefined][] = [
  ['servers', 'maxTotalInstances', 'totalInstancesUsed'],
  ['vcpus', 'maxTotalCores', 'totalCoresUsed'],
  ['ram_mib', 'maxTotalRAMSize', 'totalRAMUsed'],
  ['keypairs', 'maxTotalKeypairs', undefined],
  ['server_groups', 'maxServerGroups', 'totalServerGroupsUsed'],
  ['server_group_members', 'maxServerGroupMembers', undefined],
  ['server_properties', 'maxServerMeta', undefined],
]

/** `GET /limits`: the caller's own project, or for administrators another's. */
export async function getLimits(compute: Compute, projectId?: string): Promise<Quota[]> {
  const { limits } = await compute.get<{ limits: { absolute: Record<string, number> } }>('/limits', 'Reading the limits', {
    query: { tenant_id: projectId },
  })
  return absoluteLimits.flatMap(([resource, limitKey, usedKey]): Quota[] => {
    const limit = limits.absolute[limitKey]
    const inUse = usedKey === undefined ? undefined : limits.absolute[usedKey]
    return limit === undefined ? [] : [{ resource, limit, inUse, reserved: undefined }]
  })
}

/** A project's id. An id is taken as it is, for ordinary members may not ask the identity service about projects. */
export async function findProjectId(compute: Compute, wanted: string): Promise<string> {
  const { project } = await compute.session.authorize()
  if (project && (project.id === wanted || project.name === wanted)) return project.id
  if (looksLikeId(wanted)) return wanted
  const identity = await compute.session.endpoint('identity')
  const projects = await fetchAll<{ id: string; name: string }>(compute.session, {
    url: withQuery(`${identity}/projects`, { name: wanted }),
    key: 'projects',
    doing: 'Listing the projects',
  })
  return pick('project', wanted, projects, (candidate) => candidate.name).id
}
