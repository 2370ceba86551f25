import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { describeNetworkAgent, listNetworkAgents, troublesOfHosts, type Database, type NetworkAgentRow } from '@nubo/database'
import { networkError } from '@nubo/domain'
import { serviceSilenceMs } from '../../compute/services/liveness.js'
import { ServicesService, uuidsSince } from '../../compute/services/services.service.js'
import { computeBinary } from '../../compute/services/services.views.js'

export interface NetworkAgent extends NetworkAgentRow {
  /** What it says that it cannot make of its networks. */
  trouble: string | undefined
}

export interface AgentChanges {
  admin_state_up?: boolean
  description?: string
}

/** The programs that carry networks: those of the hosts, which compute shows as services. They are operators' alone. */
@Injectable()
export class AgentsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly services: ServicesService,
  ) {}

  async list(caller: Caller): Promise<NetworkAgent[]> {
    if (!isCloudAdmin(caller)) return []
    const troubles = await troublesOfHosts(this.database)
    const agents = await listNetworkAgents(this.database, serviceSilenceMs)
    return agents.map((agent) => ({ ...agent, trouble: troubles.get(agent.id) }))
  }

  async find(caller: Caller, id: string): Promise<NetworkAgent> {
    const agent = (await this.list(caller)).find((each) => each.id === id)
    if (!agent) throw networkError('NotFound', 'AgentNotFound', `Agent ${id} could not be found`)
    return agent
  }

  /** One that is off gets no guests and no routers, and its routers move to other hosts. */
  async update(caller: Caller, id: string, { admin_state_up: enabled, description }: AgentChanges): Promise<NetworkAgent> {
    const { host } = await this.find(caller, id)
    if (enabled !== undefined) await this.services.updateNamed(host, computeBinary, { enabled, disabledReason: null })
    if (description !== undefined) await describeNetworkAgent(this.database, id, description)
    return await this.find(caller, id)
  }

  /** Forgets its host, which is listed again with its next word. Throws Conflict while something is on it. */
  async delete(caller: Caller, id: string): Promise<void> {
    await this.services.delete((await this.find(caller, id)).id, uuidsSince)
  }
}
