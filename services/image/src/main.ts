import { startService } from '@nubo/service-kit'
import { imageService } from './service.js'

await startService(imageService)
