import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { networks } from './networks.js'
import { NetworksService } from './networks.service.js'

@Module({
  controllers: [resourceController(networks, NetworksService), tagsController(networks, NetworksService)],
  providers: [NetworksService],
})
export class NetworksModule {}
