import { Module } from '@nestjs/common'
import { ServicesModule } from '../../compute/services/services.module.js'
import { AgentsController } from './agents.controller.js'
import { AgentsService } from './agents.service.js'
import { NetworkZonesController } from './network-zones.controller.js'

@Module({ imports: [ServicesModule], controllers: [AgentsController, NetworkZonesController], providers: [AgentsService] })
export class AgentsModule {}
