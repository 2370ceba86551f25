import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { ENGINE } from '@nubo/control-plane'
import type { OperationRow } from '@nubo/database'
import { BaseUrl, CurrentCaller, Guarded } from '@nubo/service-kit'
import { pageUrl } from '@nubo/wire'
import type { OperationEngine } from '@nubo/workflow'
import { pageSize } from '../../compute/pages.js'
import { listOperationsPolicy, showOperationPolicy } from './operations.policies.js'
import { listOperationsQuery, type ListOperationsQuery } from './operations.schemas.js'
import { OperationsService } from './operations.service.js'
import { operationView, stepView } from './operations.views.js'

/** What is done to servers, as the cloud itself sees it; `os-instance-actions` is what the real service shows of it. */
@Controller('nubo/v1/operations')
export class OperationsController {
  constructor(
    private readonly operations: OperationsService,
    @Inject(ENGINE) private readonly engine: OperationEngine,
  ) {}

  @Get()
  @Guarded(listOperationsPolicy)
  async list(
    @CurrentCaller() caller: Caller,
    @Query({ schema: listOperationsQuery }) query: ListOperationsQuery,
    @BaseUrl() baseUrl: string,
  ) {
    const found = await this.operations.list(caller, query)
    const next = found.length < pageSize(query.limit) ? undefined : found.at(-1)
    return {
      operations: found.map((row) => this.view(row)),
      ...(next && { operations_links: [{ rel: 'next', href: `${baseUrl}${nextPage(query, next.id)}` }] }),
    }
  }

  @Get(':id')
  @Guarded(showOperationPolicy)
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const { operation, steps } = await this.operations.find(caller, id)
    const nameHosts = isCloudAdmin(caller)
    return { operation: { ...this.view(operation), steps: steps.map((step) => stepView(step, { nameHosts })) } }
  }

  private view(row: OperationRow) {
    return operationView(row, this.engine.knows(row.kind) ? this.engine.definition(row.kind) : undefined)
  }
}

function nextPage({ state, older_than, limit, ...query }: ListOperationsQuery, marker: string): string {
  const word = state && (state.length > 1 ? 'live' : state[0])
  const text = (number: number | undefined) => (number === undefined ? undefined : String(number))
  return pageUrl('/nubo/v1/operations', { ...query, state: word, older_than: text(older_than), limit: text(limit) }, { marker })
}
