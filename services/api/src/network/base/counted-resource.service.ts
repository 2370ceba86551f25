import type { Caller } from '@nubo/auth'
import { refuseOverQuota, takeNetworkQuota, type Database, type Transaction } from '@nubo/database'
import type { NetworkQuotaResource } from '@nubo/domain'
import type { Wanted } from './attribute.js'
import type { Resource, ResourceColumns } from './resource.js'
import { ResourceService } from './resource.service.js'

/** Of a resource of which each is made by itself, and counts as one of `counted` in its project's quota. */
export abstract class CountedResourceService<C extends ResourceColumns, A> extends ResourceService<C, A> {
  constructor(
    resource: Resource<C, A>,
    private readonly counted: NetworkQuotaResource,
    database: Database,
  ) {
    super(resource, database)
  }

  /** Writes one that is wanted, with all that follows from it; returns its id. */
  protected abstract insertOne(tx: Transaction, wanted: Wanted<A>, caller: Caller): Promise<string>

  protected async insert(
    tx: Transaction,
    wanted: readonly (Wanted<A> & { project_id: string })[],
    caller: Caller,
  ): Promise<string[]> {
    // In order: requests for several projects do not wait for each other in a circle.
    const byProject = [...Map.groupBy(wanted, (each) => each.project_id)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    if (wanted.length > 1)
      for (const [projectId, theirs] of byProject) await refuseOverQuota(tx, projectId, { [this.counted]: theirs.length })
    const ids: string[] = []
    for (const each of wanted) ids.push(await this.insertOne(tx, each, caller))
    for (const [projectId, theirs] of byProject) await takeNetworkQuota(tx, projectId, { [this.counted]: theirs.length })
    return ids
  }
}
