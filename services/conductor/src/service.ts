import type { ControlPlaneConfiguration } from '@nubo/control-plane'
import type { ServiceOptions } from '@nubo/service-kit'
import { conductorConfiguration } from './configuration.js'
import { ConductorModule } from './conductor.module.js'

export const conductorService: ServiceOptions<ControlPlaneConfiguration> = {
  name: 'conductor',
  configurationSchema: conductorConfiguration,
  module: () => ConductorModule,
}
