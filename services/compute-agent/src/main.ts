import { startService } from '@nubo/service-kit'
import { computeAgentService } from './service.js'

await startService(computeAgentService)
