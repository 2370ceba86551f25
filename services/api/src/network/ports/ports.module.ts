import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { ports } from './ports.js'
import { PortsService } from './ports.service.js'

@Module({
  controllers: [resourceController(ports, PortsService), tagsController(ports, PortsService)],
  providers: [PortsService],
})
export class PortsModule {}
