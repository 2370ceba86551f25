import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE, ENGINE } from '@nubo/control-plane'
import { findServerAction, listServerActions, type Database, type ServerActionRow } from '@nubo/database'
import { CloudError, type ServerId } from '@nubo/kernel'
import { ApiVersion, BaseUrl, CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import type { OperationEngine } from '@nubo/workflow'
import { z } from 'zod'
import { nextLink, pageSize } from '../pages.js'
import { dateTime, nonNegativeInteger, single } from '../parameter-types.js'
import { instanceActionEventView, instanceActionView } from './instance-actions.views.js'
import { listActionsPolicy, showActionPolicy } from './servers.policies.js'
import { ServersService } from './servers.service.js'

const actionsQuery = z.strictObject({
  limit: single(nonNegativeInteger),
  marker: single(z.string()),
  'changes-since': single(dateTime),
  'changes-before': single(dateTime),
})
type ActionsQuery = z.output<typeof actionsQuery>

/** Since 2.21 what was done to deleted servers is shown. */
const showsDeletedSince = 21

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
    @ApiVersion() minor: number,
    @BaseUrl() baseUrl: string,
  ) {
    const server = await this.serverOf(caller, id, minor)
    const found = await this.page(server.id, query)
    const { limit } = query
    const asked = { ...query, limit: limit?.toString() }
    const next = { name: 'links', path: `servers/${server.id}/os-instance-actions`, query: asked, limit, baseUrl }
    return {
      instanceActions: found.map((action) => instanceActionView(action, server.id, this.engine)),
      ...nextLink(found, ({ requestId }) => requestId, next),
    }
  }

  @Get(':requestId')
  @Guarded(showActionPolicy)
  @Operation('instance-action.show', { instanceAction: 'instance-action' })
  async show(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('requestId') requestId: string,
    @ApiVersion() minor: number,
  ) {
    const server = await this.serverOf(caller, id, minor)
    const found = await findServerAction(this.database, server.id, requestId)
    if (!found) throw new CloudError('NotFound', `Action ${requestId} not found`)
    const { action, steps } = found
    const events = steps.map((step) => instanceActionEventView(step, action, this.engine, isCloudAdmin(caller)))
    return { instanceAction: { ...instanceActionView(action, server.id, this.engine), events } }
  }

  private async serverOf(caller: Caller, id: string, minor: number) {
    return minor < showsDeletedSince ? await this.servers.find(caller, id) : await this.servers.findEvenDeleted(caller, id)
  }

  private async page(serverId: ServerId, { limit, marker, ...query }: ActionsQuery): Promise<ServerActionRow[]> {
    const [changedSince, changedBefore] = [timeOf(query['changes-since']), timeOf(query['changes-before'])]
    if (changedSince && changedBefore && changedBefore < changedSince)
      throw new CloudError('Invalid', 'The value of changes-since must be less than or equal to changes-before.')
    if (marker !== undefined && !(await findServerAction(this.database, serverId, marker)))
      throw new CloudError('Invalid', `Marker ${marker} could not be found.`)
    const page = { limit: pageSize(limit), marker, changedSince, changedBefore }
    return await listServerActions(this.database, serverId, page)
  }
}

const timeOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
