import { startService } from '@nubo/service-kit'
import { schedulerConfiguration } from './configuration.js'
import { SchedulerModule } from './scheduler.module.js'

await startService({ name: 'scheduler', configurationSchema: schedulerConfiguration, module: () => SchedulerModule })
