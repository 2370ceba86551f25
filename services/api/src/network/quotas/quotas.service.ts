import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import { listNetworkLimits, lockQuota, readNetworkQuota, resetLimits, setLimits, type Database } from '@nubo/database'
import {
  defaultNetworkLimits,
  networkLimitsOf,
  networkQuotaResources,
  type NetworkAmounts,
  type NetworkLimits,
} from '@nubo/domain'
import type { ProjectId } from '@nubo/kernel'

export interface QuotaDetail {
  limit: number
  used: number
  reserved: number
}

/** What projects may have of networks. A project need not be known: as in Neutron, it has the defaults then. */
@Injectable()
export class NetworkQuotasService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  readonly defaults: NetworkLimits = defaultNetworkLimits

  /** Of the projects that have limits of their own. */
  async list(): Promise<{ projectId: string; limits: NetworkLimits }[]> {
    const stored = await listNetworkLimits(this.database)
    return stored.map(({ projectId, limits }) => ({ projectId, limits: networkLimitsOf(limits) }))
  }

  async limits(projectId: string): Promise<NetworkLimits> {
    return networkLimitsOf((await readNetworkQuota(this.database, projectId)).limits)
  }

  async details(projectId: string): Promise<Record<string, QuotaDetail>> {
    const { limits, used } = await readNetworkQuota(this.database, projectId)
    const effective = networkLimitsOf(limits)
    const detailOf = (resource: keyof NetworkLimits) => ({ limit: effective[resource], used: used[resource], reserved: 0 })
    return Object.fromEntries(networkQuotaResources.map((resource) => [resource, detailOf(resource)]))
  }

  /** Also below what is used already, as in Neutron: nothing more is made then. */
  async update(projectId: string, changes: NetworkAmounts): Promise<NetworkLimits> {
    const stored = await this.database.transaction(async (tx) => {
      await lockQuota(tx, projectId as ProjectId)
      return await setLimits(tx, projectId as ProjectId, changes as Record<string, number>)
    })
    return networkLimitsOf(stored)
  }

  async reset(projectId: string): Promise<void> {
    await resetLimits(this.database, projectId, networkQuotaResources)
  }
}
