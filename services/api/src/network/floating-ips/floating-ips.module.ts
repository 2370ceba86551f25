import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { floatingIps } from './floating-ips.js'
import { FloatingIpsService } from './floating-ips.service.js'

@Module({
  controllers: [resourceController(floatingIps, FloatingIpsService), tagsController(floatingIps, FloatingIpsService)],
  providers: [FloatingIpsService],
})
export class FloatingIpsModule {}
