import type { ServiceOptions } from '@nubo/service-kit'
import { AgentModule } from './agent.module.js'
import { agentConfiguration, type AgentConfiguration } from './configuration.js'

export const computeAgentService: ServiceOptions<AgentConfiguration> = {
  name: 'compute-agent',
  configurationSchema: agentConfiguration,
  module: () => AgentModule,
}
