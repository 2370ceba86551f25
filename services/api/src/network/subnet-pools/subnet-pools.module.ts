import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { subnetPools } from './subnet-pools.js'
import { SubnetPoolsService } from './subnet-pools.service.js'

@Module({
  controllers: [resourceController(subnetPools, SubnetPoolsService), tagsController(subnetPools, SubnetPoolsService)],
  providers: [SubnetPoolsService],
})
export class SubnetPoolsModule {}
