import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common'
import { anyCaller, cloudAdmin, policy, type Caller } from '@nubo/auth'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import type { z } from 'zod'
import type { Attributes } from '../base/attribute.js'
import { booleanLike, descriptionText } from '../base/attribute-types.js'
import { updateBodySchema } from '../base/bodies.js'
import { anyQuery, fieldsOf, type AnyQuery } from '../base/listing-query.js'
import { chosen, only } from '../base/plain-list.js'
import { AgentsService, type AgentChanges, type NetworkAgent } from './agents.service.js'
import { agentView } from './agents.views.js'

/** As in Neutron, who is no operator is not refused: for them there are none. */
const agentsPolicy = policy('get_agent', 'List and show the programs that carry networks.', anyCaller)
const updateAgentPolicy = policy('update_agent', 'Change a program that carries networks.', cloudAdmin)
const deleteAgentPolicy = policy('delete_agent', 'Forget a program that carries networks.', cloudAdmin)

const attributes: Attributes<NetworkAgent> = {
  admin_state_up: { input: booleanLike },
  description: { input: descriptionText },
}
const agentBody = updateBodySchema('agent', attributes) as z.ZodType<AgentChanges>

/** https://docs.openstack.org/api-ref/network/v2/#agents */
@Controller('v2.0/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @Guarded(agentsPolicy)
  async list(@CurrentCaller() caller: Caller, @Query({ schema: anyQuery }) query: AnyQuery) {
    return { agents: chosen((await this.agents.list(caller)).map(agentView), query, 'id') }
  }

  @Get(':id')
  @Guarded(agentsPolicy)
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query({ schema: anyQuery }) query: AnyQuery) {
    return { agent: only(agentView(await this.agents.find(caller, id)), fieldsOf(query)) }
  }

  @Put(':id')
  @Guarded(updateAgentPolicy)
  async update(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body({ schema: agentBody }) changes: AgentChanges) {
    return { agent: agentView(await this.agents.update(caller, id, changes)) }
  }

  @Delete(':id')
  @HttpCode(204)
  @Guarded(deleteAgentPolicy)
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    await this.agents.delete(caller, id)
  }
}
