import { startService } from '@nubo/service-kit'
import { ConductorModule } from './conductor.module.js'
import { conductorConfiguration } from './configuration.js'

await startService({ name: 'conductor', configurationSchema: conductorConfiguration, module: () => ConductorModule })
