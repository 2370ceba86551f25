import { Controller, Get, Param, Query } from '@nestjs/common'
import { cloudAdmin, policy } from '@nubo/auth'
import { networkError } from '@nubo/domain'
import { Guarded } from '@nubo/service-kit'
import { ServicesService } from '../../compute/services/services.service.js'
import { computeBinary } from '../../compute/services/services.views.js'
import { anyQuery, fieldsOf, type AnyQuery } from '../base/listing-query.js'
import { chosen, only } from '../base/plain-list.js'
import { agentView } from './agents.views.js'

const agentsPolicy = policy('get_agent', 'List and show the programs that carry networks.', cloudAdmin)

/** https://docs.openstack.org/api-ref/network/v2/#agents, to be read. */
@Controller('v2.0/agents')
export class AgentsController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @Guarded(agentsPolicy)
  async list(@Query({ schema: anyQuery }) query: AnyQuery) {
    return { agents: chosen(await this.agents(), query) }
  }

  @Get(':id')
  @Guarded(agentsPolicy)
  async show(@Param('id') id: string, @Query({ schema: anyQuery }) query: AnyQuery) {
    const agent = (await this.agents()).find((each) => each.id === id)
    if (!agent) throw networkError('NotFound', 'AgentNotFound', `Agent ${id} could not be found`)
    return { agent: only(agent, fieldsOf(query)) }
  }

  private async agents() {
    return (await this.services.list({ binary: computeBinary })).map(agentView)
  }
}
