import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import {
  findProject,
  lockQuota,
  readQuota,
  readUserUse,
  resetLimits,
  setLimits,
  type Database,
  type QuotaState,
} from '@nubo/database'
import { limitRefusal, limitsOf, quotaResourceNames, type QuotaAmounts, type QuotaLimits, type QuotaResource } from '@nubo/domain'
import { CloudError, type ProjectId } from '@nubo/kernel'
import type { UpdateQuotasBody } from './quotas.schemas.js'
import type { DetailedLimit, QuotaValues } from './quotas.views.js'

const resources = Object.keys(quotaResourceNames) as QuotaResource[]

/** What projects may have of compute, and what they have of it. */
@Injectable()
export class QuotasService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** Throws Invalid where there is no such project. */
  async limits(id: string): Promise<QuotaLimits> {
    const { limits } = await readQuota(this.database, await this.project(id))
    return limitsOf(limits)
  }

  /** Limits of the project with their use, which is that of one of its users where one is named. */
  async detail(id: string, userId: string | undefined): Promise<QuotaValues<DetailedLimit>> {
    const projectId = await this.project(id)
    const { limits, used: usedByAll } = await readQuota(this.database, projectId)
    const used: QuotaAmounts = userId ? { ...(await readUserUse(this.database, projectId, userId)) } : { ...usedByAll }
    const effective = limitsOf(limits)
    const detailOf = (resource: QuotaResource) => ({ in_use: used[resource] ?? 0, limit: effective[resource], reserved: 0 })
    return Object.fromEntries(resources.map((resource) => [resource, detailOf(resource)])) as QuotaValues<DetailedLimit>
  }

  async defaults(id: string): Promise<QuotaLimits> {
    await this.project(id)
    return limitsOf({})
  }

  /**
   * Changes the limits that are named. What is used already is compared while it cannot change, unless the change is forced.
   * Returns all limits as they are then. Throws Invalid.
   */
  async update(id: string, { quota_set: { force, ...wanted } }: UpdateQuotasBody): Promise<QuotaLimits> {
    const projectId = await this.project(id)
    const changes = Object.fromEntries(
      resources
        .map((resource) => [resource, wanted[quotaResourceNames[resource] as keyof typeof wanted]] as const)
        .filter(([, limit]) => limit !== undefined),
    ) as QuotaAmounts
    const stored = await this.database.transaction(async (tx) => {
      const state = await lockQuota(tx, projectId)
      if (!force) refuseBelowUse(changes, state)
      return await setLimits(tx, projectId, changes)
    })
    return limitsOf(stored)
  }

  async reset(id: string): Promise<void> {
    await resetLimits(this.database, id, resources)
  }

  private async project(id: string): Promise<ProjectId> {
    const project = await findProject(this.database, id)
    if (!project) throw new CloudError('Invalid', `Project ID ${id} is not a valid project.`)
    return project.id as ProjectId
  }
}

function refuseBelowUse(changes: QuotaAmounts, { used }: QuotaState): void {
  const inUse: QuotaAmounts = { ...used }
  for (const [resource, limit] of Object.entries(changes) as [QuotaResource, number][]) {
    const refusal = limitRefusal(resource, limit, inUse[resource] ?? 0)
    if (refusal !== undefined) throw new CloudError('Invalid', refusal)
  }
}
