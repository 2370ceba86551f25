import { Module } from '@nestjs/common'
import { AggregatesController } from './aggregates.controller.js'
import { HypervisorsController } from './hypervisors.controller.js'
import { HypervisorsService } from './hypervisors.service.js'
import { VirtTypeController } from './virt-type.controller.js'

@Module({
  controllers: [HypervisorsController, AggregatesController, VirtTypeController],
  providers: [HypervisorsService],
})
export class HypervisorsModule {}
