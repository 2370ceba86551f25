import { startService } from '@nubo/service-kit'
import { conductorService } from './service.js'

await startService(conductorService)
