import { Controller, Get, Query } from '@nestjs/common'
import { policy, projectReaderOrAdmin } from '@nubo/auth'
import { Guarded } from '@nubo/service-kit'
import { ServicesService } from '../../compute/services/services.service.js'
import { computeBinary } from '../../compute/services/services.views.js'
import { anyQuery, type AnyQuery } from '../base/listing-query.js'
import { chosen } from '../base/plain-list.js'
import { networkZone } from './network-zones.js'

const zonesPolicy = policy('get_availability_zone', 'List the zones that networks and routers may be in.', projectReaderOrAdmin)

/** https://docs.openstack.org/api-ref/network/v2/#availability-zones */
@Controller('v2.0/availability_zones')
export class NetworkZonesController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @Guarded(zonesPolicy)
  async list(@Query({ schema: anyQuery }) query: AnyQuery) {
    const hosts = await this.services.list({ binary: computeBinary })
    const state = hosts.some(({ enabled }) => enabled) ? 'available' : 'unavailable'
    const zones = ['network', 'router'].map((resource) => ({ name: networkZone, resource, state }))
    return { availability_zones: chosen(zones, query, 'resource') }
  }
}
