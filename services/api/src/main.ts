import { startService } from '@nubo/service-kit'
import { apiService } from './service.js'

await startService(apiService)
