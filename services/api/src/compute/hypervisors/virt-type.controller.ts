import { Controller, Get, Param } from '@nestjs/common'
import { Guarded } from '@nubo/service-kit'
import { uuidsSince } from '../services/services.service.js'
import { explainVirtTypePolicy } from './hypervisors.policies.js'
import { HypervisorsService } from './hypervisors.service.js'
import { virtTypeView } from './hypervisors.views.js'

/** How a host runs guests, and why. Ours, beside OpenStack's API. */
@Controller('nubo/v1/hypervisors')
export class VirtTypeController {
  constructor(private readonly hypervisors: HypervisorsService) {}

  @Get(':id')
  @Guarded(explainVirtTypePolicy)
  async show(@Param('id') id: string) {
    return { hypervisor: virtTypeView(await this.hypervisors.find(id, uuidsSince)) }
  }
}
