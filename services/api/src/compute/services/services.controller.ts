import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common'
import { ApiVersion, Guarded, Operation } from '@nubo/service-kit'
import { parse } from '../parameter-types.js'
import { namedChange } from './named-services.js'
import { deleteServicePolicy, listServicesPolicy, updateServicePolicy } from './services.policies.js'
import { listServicesQuery, namedServiceBody, updateServiceBody, type ListServicesQuery } from './services.schemas.js'
import { ServicesService, uuidsSince } from './services.service.js'
import { serviceView } from './services.views.js'

/** https://docs.openstack.org/api-ref/compute/#compute-services-os-services */
@Controller('v2.1/os-services')
export class ServicesController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @Guarded(listServicesPolicy)
  @Operation('service.list', { services: ['service'] })
  async list(@Query({ schema: listServicesQuery }) query: ListServicesQuery) {
    const { host, binary } = query
    // An empty filter is none.
    const found = await this.services.list({ host: host || undefined, binary: binary || undefined })
    return { services: found.map(serviceView) }
  }

  /** Since 2.53 the path names a service and the body says what to change; before, the other way round. */
  @Put(':id')
  @Guarded(updateServicePolicy)
  @Operation('service.update')
  async update(@Param('id') id: string, @Body() body: unknown, @ApiVersion() minor: number) {
    if (minor >= uuidsSince) return { service: serviceView(await this.services.update(id, parse(updateServiceBody, body))) }
    const named = parse(namedServiceBody(minor), body)
    const { changes, told } = namedChange(id, named, minor)
    const { host, binary } = named
    await this.services.updateNamed(host, binary, changes)
    return { service: { host, binary, ...told } }
  }

  @Delete(':id')
  @HttpCode(204)
  @Guarded(deleteServicePolicy)
  @Operation('service.delete')
  async delete(@Param('id') id: string, @ApiVersion() minor: number) {
    await this.services.delete(id, minor)
  }
}
