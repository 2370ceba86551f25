import { Module } from '@nestjs/common'
import { ServicesModule } from '../services/services.module.js'
import { AvailabilityZonesController } from './availability-zones.controller.js'

@Module({ imports: [ServicesModule], controllers: [AvailabilityZonesController] })
export class AvailabilityZonesModule {}
