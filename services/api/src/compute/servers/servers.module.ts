import { Module } from '@nestjs/common'
import { CreateServersService } from './create-servers.service.js'
import { InterfacesController } from './interfaces/interfaces.controller.js'
import { InterfacesService } from './interfaces/interfaces.service.js'
import { FixedIpsService } from './interfaces/fixed-ips.service.js'
import { ServerSecurityGroupsService } from './interfaces/server-security-groups.service.js'
import { RequestedNetworks } from './interfaces/requested-networks.js'
import { InstanceActionsController } from './instance-actions.controller.js'
import { ServerActionsController } from './server-actions.controller.js'
import { ServerMetadataController } from './server-metadata.controller.js'
import { ServerMetadataService } from './server-metadata.service.js'
import { ServerPasswordController } from './server-password.controller.js'
import { ServerPasswordService } from './server-password.service.js'
import { ServerPowerService } from './server-power.service.js'
import { ServersController } from './servers.controller.js'
import { ServersService } from './servers.service.js'

@Module({
  controllers: [
    ServersController,
    ServerActionsController,
    ServerMetadataController,
    ServerPasswordController,
    InstanceActionsController,
    InterfacesController,
  ],
  providers: [
    ServersService,
    CreateServersService,
    ServerPowerService,
    ServerMetadataService,
    ServerPasswordService,
    RequestedNetworks,
    InterfacesService,
    ServerSecurityGroupsService,
    FixedIpsService,
  ],
  exports: [ServersService, ServerSecurityGroupsService],
})
export class ServersModule {}
