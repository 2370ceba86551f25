import { Module } from '@nestjs/common'
import { ExtraSpecsController } from './extra-specs.controller.js'
import { ExtraSpecsService } from './extra-specs.service.js'
import { FlavorAccessController } from './flavor-access.controller.js'
import { FlavorAccessService } from './flavor-access.service.js'
import { FlavorsController } from './flavors.controller.js'
import { FlavorsService } from './flavors.service.js'

@Module({
  controllers: [FlavorsController, FlavorAccessController, ExtraSpecsController],
  providers: [FlavorsService, FlavorAccessService, ExtraSpecsService],
})
export class FlavorsModule {}
