import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE, ENGINE } from '@nubo/control-plane'
import { findServerAction, listServerActions, type Database, type ServerActionPage } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { BaseUrl, CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import { pageUrl } from '@nubo/wire'
import type { OperationEngine } from '@nubo/workflow'
import { z } from 'zod'
import { instanceActionEventView, instanceActionView } from './instance-actions.views.js'
import { listActionsPolicy, showActionPolicy } from './servers.policies.js'
import { ServersService } from './servers.service.js'

const time = z.coerce.date()
const actionsQuery = z.looseObject({
  limit: z.coerce.number().int().min(0).max(1_000).default(1_000),
  marker: z.string().optional(),
  'changes-since': time.optional(),
  'changes-before': time.optional(),
})
type ActionsQuery = z.output<typeof actionsQuery>

/** https://docs.openstack.org/api-ref/compute/#servers-actions-servers-os-instance-actions */
@Controller('v2.1/servers/:id/os-instance-actions')
export class InstanceActionsController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    private readonly servers: ServersService,
  ) {}

  @Get()
  @Guarded(listActionsPolicy)
  @Operation('instance-action.list', { instanceActions: ['instance-action'] })
  async list(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query({ schema: actionsQuery }) query: ActionsQuery,
    @BaseUrl() baseUrl: string,
  ) {
    const server = await this.servers.findEvenDeleted(caller, id)
    const found = await listServerActions(this.database, server.id, { ...pageOf(query), limit: query.limit + 1 })
    const actions = found.slice(0, query.limit)
    const links = found.length > query.limit ? nextPage(id, query, actions.at(-1)?.requestId, baseUrl) : {}
    return { instanceActions: actions.map((action) => instanceActionView(action, server.id, this.engine)), ...links }
  }

  @Get(':requestId')
  @Guarded(showActionPolicy)
  @Operation('instance-action.show', { instanceAction: 'instance-action' })
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('requestId') requestId: string) {
    const server = await this.servers.findEvenDeleted(caller, id)
    const found = await findServerAction(this.database, server.id, requestId)
    if (!found) throw new CloudError('NotFound', `Action for request_id ${requestId} on instance ${id} not found`)
    const { action, steps } = found
    const events = steps.map((step) => instanceActionEventView(step, action, this.engine, isCloudAdmin(caller)))
    return { instanceAction: { ...instanceActionView(action, server.id, this.engine), events } }
  }
}

function pageOf(query: ActionsQuery): Omit<ServerActionPage, 'limit'> {
  return {
    ...(query.marker === undefined ? {} : { marker: query.marker }),
    ...(query['changes-since'] ? { changedSince: query['changes-since'] } : {}),
    ...(query['changes-before'] ? { changedBefore: query['changes-before'] } : {}),
  }
}

function nextPage(id: string, query: ActionsQuery, marker: string | undefined, baseUrl: string) {
  const path = `${baseUrl}/v2.1/servers/${id}/os-instance-actions`
  return { links: [{ rel: 'next', href: pageUrl(path, { limit: String(query.limit) }, { marker }) }] }
}
