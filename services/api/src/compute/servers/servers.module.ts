import { Module } from '@nestjs/common'
import { CreateServersService } from './create-servers.service.js'
import { InstanceActionsController } from './instance-actions.controller.js'
import { ServerActionsController } from './server-actions.controller.js'
import { ServerMetadataController } from './server-metadata.controller.js'
import { ServerMetadataService } from './server-metadata.service.js'
import { ServerPowerService } from './server-power.service.js'
import { ServersController } from './servers.controller.js'
import { ServersService } from './servers.service.js'

@Module({
  controllers: [ServersController, ServerActionsController, ServerMetadataController, InstanceActionsController],
  providers: [ServersService, CreateServersService, ServerPowerService, ServerMetadataService],
  exports: [ServersService],
})
export class ServersModule {}
