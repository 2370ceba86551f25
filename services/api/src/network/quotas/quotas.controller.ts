import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common'
import { networkQuotaResources, type NetworkAmounts } from '@nubo/domain'
import { Guarded } from '@nubo/service-kit'
import { z } from 'zod'
import type { Attributes } from '../base/attribute.js'
import { integerLike } from '../base/attribute-types.js'
import { updateBodySchema } from '../base/bodies.js'
import { deleteQuotaPolicy, listQuotasPolicy, showQuotaPolicy, updateQuotaPolicy } from './quotas.policies.js'
import { NetworkQuotasService } from './quotas.service.js'

const limit = { input: integerLike(-1, 0x7f_ff_ff_ff) }
const limits: Attributes<unknown> = Object.fromEntries(networkQuotaResources.map((resource) => [resource, limit]))
const quotaBody = updateBodySchema('quota', limits) as z.ZodType<NetworkAmounts>

const named = (projectId: string) => ({ project_id: projectId, tenant_id: projectId })

/** https://docs.openstack.org/api-ref/network/v2/#quotas-extension-quotas */
@Controller('v2.0/quotas')
export class NetworkQuotasController {
  constructor(private readonly quotas: NetworkQuotasService) {}

  @Get()
  @Guarded(listQuotasPolicy)
  async list() {
    const quotas = await this.quotas.list()
    return { quotas: quotas.map(({ projectId, limits }) => ({ ...limits, ...named(projectId) })) }
  }

  @Get(':project_id')
  @Guarded(showQuotaPolicy)
  async show(@Param('project_id') id: string) {
    return { quota: await this.quotas.limits(id) }
  }

  @Get(':project_id/default')
  @Guarded(showQuotaPolicy)
  defaults() {
    return { quota: this.quotas.defaults }
  }

  @Get(':project_id/details.json')
  @Guarded(showQuotaPolicy)
  async detailsJson(@Param('project_id') id: string) {
    return { quota: await this.quotas.details(id) }
  }

  @Get(':project_id/details')
  @Guarded(showQuotaPolicy)
  async details(@Param('project_id') id: string) {
    return { quota: await this.quotas.details(id) }
  }

  @Put(':project_id')
  @Guarded(updateQuotaPolicy)
  async update(@Param('project_id') id: string, @Body({ schema: quotaBody }) changes: NetworkAmounts) {
    return { quota: await this.quotas.update(id, changes) }
  }

  @Delete(':project_id')
  @HttpCode(204)
  @Guarded(deleteQuotaPolicy)
  async reset(@Param('project_id') id: string) {
    await this.quotas.reset(id)
  }
}
