import { Controller, Get, Inject, Param } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { findPlacementDecision, type Database } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { explainPlacementPolicy } from '../compute/servers/servers.policies.js'
import { ServersService } from '../compute/servers/servers.service.js'
import { placementView } from './placement.views.js'

/** Why a server is where it is, or nowhere. Ours, beside OpenStack's API. */
@Controller('nubo/v1/servers/:id/placement')
export class PlacementController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
  ) {}

  @Get()
  @Guarded(explainPlacementPolicy)
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const server = await this.servers.find(caller, id)
    const stored = await findPlacementDecision(this.database, server.id)
    if (!stored) throw new CloudError('NotFound', `No decision on where to place server ${id} was made yet.`)
    return { placement: placementView(server.id, stored, { nameHosts: isCloudAdmin(caller) }) }
  }
}
