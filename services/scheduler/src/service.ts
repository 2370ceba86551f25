import type { ControlPlaneConfiguration } from '@nubo/control-plane'
import type { ServiceOptions } from '@nubo/service-kit'
import { schedulerConfiguration } from './configuration.js'
import { SchedulerModule } from './scheduler.module.js'

export const schedulerService: ServiceOptions<ControlPlaneConfiguration> = {
  name: 'scheduler',
  configurationSchema: schedulerConfiguration,
  module: () => SchedulerModule,
}
