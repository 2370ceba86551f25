import { Controller, Get } from '@nestjs/common'
import { Guarded, Operation } from '@nubo/service-kit'
import { listAggregatesPolicy } from './hypervisors.policies.js'

/**
 * Nothing makes host aggregates, so there are none: that is all that is said of them. `openstack hypervisor show` asks, to
 * name the aggregates of a host, and fails where it is not told.
 */
@Controller('v2.1/os-aggregates')
export class AggregatesController {
  @Get()
  @Guarded(listAggregatesPolicy)
  @Operation('aggregate.list')
  list() {
    return { aggregates: [] }
  }
}
