import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { anyCaller, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { troublesOfHosts, type Database } from '@nubo/database'
import { networkError } from '@nubo/domain'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { ServicesService } from '../../compute/services/services.service.js'
import { computeBinary } from '../../compute/services/services.views.js'
import { anyQuery, fieldsOf, type AnyQuery } from '../base/listing-query.js'
import { chosen, only } from '../base/plain-list.js'
import { agentView } from './agents.views.js'

/** For operators. As in Neutron, others are not refused: for them there are none. */
const agentsPolicy = policy('get_agent', 'List and show the programs that carry networks.', anyCaller)

/** https://docs.openstack.org/api-ref/network/v2/#agents, to be read. */
@Controller('v2.0/agents')
export class AgentsController {
  constructor(
    private readonly services: ServicesService,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

  @Get()
  @Guarded(agentsPolicy)
  async list(@CurrentCaller() caller: Caller, @Query({ schema: anyQuery }) query: AnyQuery) {
    return { agents: chosen(await this.agents(caller), query) }
  }

  @Get(':id')
  @Guarded(agentsPolicy)
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query({ schema: anyQuery }) query: AnyQuery) {
    const agent = (await this.agents(caller)).find((each) => each.id === id)
    if (!agent) throw networkError('NotFound', 'AgentNotFound', `Agent ${id} could not be found`)
    return { agent: only(agent, fieldsOf(query)) }
  }

  private async agents(caller: Caller) {
    if (!isCloudAdmin(caller)) return []
    const troubles = await troublesOfHosts(this.database)
    return (await this.services.list({ binary: computeBinary })).map((service) => agentView(service, troubles))
  }
}
