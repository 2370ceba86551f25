import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { subnets } from './subnets.js'
import { SubnetsService } from './subnets.service.js'

@Module({
  controllers: [resourceController(subnets, SubnetsService), tagsController(subnets, SubnetsService)],
  providers: [SubnetsService],
})
export class SubnetsModule {}
