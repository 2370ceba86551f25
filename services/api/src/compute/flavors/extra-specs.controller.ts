import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import { CloudError, type RequestKey } from '@nubo/kernel'
import { ApiVersion, CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { ExtraSpecsService } from './extra-specs.service.js'
import {
  createExtraSpecsPolicy,
  deleteExtraSpecPolicy,
  listExtraSpecsPolicy,
  showExtraSpecPolicy,
  updateExtraSpecPolicy,
} from './flavors.policies.js'
import { createExtraSpecsBody, updateExtraSpecBody, type CreateExtraSpecsBody, type ExtraSpecs } from './flavors.schemas.js'

/** https://docs.openstack.org/api-ref/compute/#flavors-extra-specs-flavors-os-flavor-extra-specs */
@Controller('v2.1/flavors/:flavor_id/os-extra_specs')
export class ExtraSpecsController {
  constructor(private readonly extraSpecs: ExtraSpecsService) {}

  @Get()
  @Guarded(listExtraSpecsPolicy)
  @Operation('extra-spec.list')
  async list(@CurrentCaller() caller: Caller, @Param('flavor_id') flavorId: string) {
    return { extra_specs: await this.extraSpecs.list(caller, flavorId) }
  }

  @Post()
  @HttpCode(200)
  @Guarded(createExtraSpecsPolicy)
  @Operation('extra-spec.create')
  @Idempotent()
  async create(
    @CurrentCaller() caller: Caller,
    @Param('flavor_id') flavorId: string,
    @Body({ schema: createExtraSpecsBody }) body: CreateExtraSpecsBody,
    @CurrentRequestKey() key: RequestKey | undefined,
    @ApiVersion() minor: number,
  ) {
    const answer = () => ({ extra_specs: body.extra_specs })
    await this.extraSpecs.set(caller, flavorId, body.extra_specs, minor, new Once(key, answer))
    return answer()
  }

  @Get(':key')
  @Guarded(showExtraSpecPolicy)
  @Operation('extra-spec.show')
  async show(@CurrentCaller() caller: Caller, @Param('flavor_id') flavorId: string, @Param('key') key: string) {
    return await this.extraSpecs.show(caller, flavorId, key)
  }

  @Put(':key')
  @Guarded(updateExtraSpecPolicy)
  @Operation('extra-spec.update')
  async update(
    @CurrentCaller() caller: Caller,
    @Param('flavor_id') flavorId: string,
    @Param('key') key: string,
    @Body({ schema: updateExtraSpecBody }) body: ExtraSpecs,
    @ApiVersion() minor: number,
  ) {
    if (!Object.hasOwn(body, key)) throw new CloudError('Invalid', 'Request body and URI mismatch')
    await this.extraSpecs.set(caller, flavorId, body, minor)
    return body
  }

  @Delete(':key')
  @HttpCode(200)
  @Guarded(deleteExtraSpecPolicy)
  @Operation('extra-spec.delete')
  async delete(@CurrentCaller() caller: Caller, @Param('flavor_id') flavorId: string, @Param('key') key: string) {
    await this.extraSpecs.delete(caller, flavorId, key)
  }
}
