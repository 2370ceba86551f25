import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { RouterInterfacesController } from './router-interfaces.controller.js'
import { RouterInterfacesService } from './router-interfaces.service.js'
import { routers } from './routers.js'
import { RoutersService } from './routers.service.js'

@Module({
  controllers: [resourceController(routers, RoutersService), tagsController(routers, RoutersService), RouterInterfacesController],
  providers: [RoutersService, RouterInterfacesService],
})
export class RoutersModule {}
