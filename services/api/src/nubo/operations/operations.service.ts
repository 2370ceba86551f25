import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { findOperation, listOperations, listSteps, type Database, type OperationRow, type OperationStepRow } from '@nubo/database'
import { CloudError, isUuid, type OperationId, type ProjectId } from '@nubo/kernel'
import { pageSize } from '../../compute/pages.js'
import type { ListOperationsQuery } from './operations.schemas.js'

/** What is done to servers, step by step: a project's own, and everything for the operator of the cloud. */
@Injectable()
export class OperationsService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  async list(caller: Caller, query: ListOperationsQuery): Promise<OperationRow[]> {
    const { marker, limit } = query
    const scope = scopeOf(caller)
    // A project that is not the caller's has nothing that they may see.
    if (scope && query.project_id !== undefined && query.project_id !== scope) return []
    if (marker && !(await findOperation(this.database, marker, scope)))
      throw new CloudError('Invalid', `marker [${marker}] not found`)
    const filter = {
      projectId: scope ?? (query.project_id as ProjectId | undefined),
      states: query.state,
      serverId: query.server_id,
      kind: query.kind,
      olderThanSeconds: query.older_than,
    }
    return await listOperations(this.database, filter, { limit: pageSize(limit), marker })
  }

  async find(caller: Caller, id: string): Promise<{ operation: OperationRow; steps: OperationStepRow[] }> {
    const key = id.toLowerCase() as OperationId
    const operation = isUuid(key) ? await findOperation(this.database, key, scopeOf(caller)) : undefined
    if (!operation) throw new CloudError('NotFound', `Operation ${id} could not be found.`)
    return { operation, steps: await listSteps(this.database, operation.id) }
  }
}

/** The project whose operations the caller may see; undefined for all of them. */
function scopeOf(caller: Caller): ProjectId | undefined {
  return isCloudAdmin(caller) ? undefined : projectOf(caller)
}
