import { Controller, Get } from '@nestjs/common'
import { Guarded, Operation } from '@nubo/service-kit'
import { ServicesService } from '../services/services.service.js'
import { detailZonesPolicy, listZonesPolicy } from './availability-zones.policies.js'
import { detailedZonesView, zonesView } from './availability-zones.views.js'

/** https://docs.openstack.org/api-ref/compute/#availability-zones-os-availability-zone */
@Controller('v2.1/os-availability-zone')
export class AvailabilityZonesController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @Guarded(listZonesPolicy)
  @Operation('availability-zone.list')
  async list() {
    return { availabilityZoneInfo: zonesView(await this.services.list({})) }
  }

  @Get('detail')
  @Guarded(detailZonesPolicy)
  @Operation('availability-zone.detail')
  async detail() {
    return { availabilityZoneInfo: detailedZonesView(await this.services.list({})) }
  }
}
