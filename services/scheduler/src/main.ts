import { startService } from '@nubo/service-kit'
import { schedulerService } from './service.js'

await startService(schedulerService)
