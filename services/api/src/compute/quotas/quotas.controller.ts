import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common'
import { CloudError } from '@nubo/kernel'
import { ApiVersion, Guarded, Operation } from '@nubo/service-kit'
import { refuseKeys } from '@nubo/wire'
import {
  defaultQuotasPolicy,
  deleteQuotasPolicy,
  detailQuotasPolicy,
  showQuotasPolicy,
  updateQuotasPolicy,
} from './quotas.policies.js'
import { fileLimitNames, quotasQuery, updateQuotasBody, type QuotasQuery, type UpdateQuotasBody } from './quotas.schemas.js'
import { QuotasService } from './quotas.service.js'
import { quotaSetView } from './quotas.views.js'

/** Since 2.57 nothing is injected, so nothing of it is limited. */
const filesUntil = 57

/** https://docs.openstack.org/api-ref/compute/#quota-sets-os-quota-sets */
@Controller('v2.1/os-quota-sets/:project_id')
export class QuotasController {
  constructor(private readonly quotas: QuotasService) {}

  @Get()
  @Guarded(showQuotasPolicy)
  @Operation('quota.show', { quota_set: 'quota-set' })
  async show(@Param('project_id') id: string, @Query({ schema: quotasQuery }) _query: QuotasQuery) {
    // A user has the limits of the project.
    return { quota_set: quotaSetView(await this.quotas.limits(id), id) }
  }

  @Get('detail')
  @Guarded(detailQuotasPolicy)
  @Operation('quota.detail', { quota_set: 'quota-set' })
  async detail(@Param('project_id') id: string, @Query({ schema: quotasQuery }) query: QuotasQuery) {
    return { quota_set: quotaSetView(await this.quotas.detail(id, query.user_id), id) }
  }

  @Get('defaults')
  @Guarded(defaultQuotasPolicy)
  @Operation('quota.defaults', { quota_set: 'quota-set' })
  async defaults(@Param('project_id') id: string) {
    return { quota_set: quotaSetView(await this.quotas.defaults(id), id) }
  }

  @Put()
  @Guarded(updateQuotasPolicy)
  @Operation('quota.update', { quota_set: 'quota-set' })
  async update(
    @Param('project_id') id: string,
    @Query({ schema: quotasQuery }) query: QuotasQuery,
    @Body({ schema: updateQuotasBody }) body: UpdateQuotasBody,
    @ApiVersion() minor: number,
  ) {
    if (minor >= filesUntil) refuseKeys(['quota_set'], fileLimitNames)({ body, query })
    refuseUser(query)
    return { quota_set: quotaSetView(await this.quotas.update(id, body)) }
  }

  @Delete()
  @HttpCode(202)
  @Guarded(deleteQuotasPolicy)
  @Operation('quota.delete')
  async delete(@Param('project_id') id: string, @Query({ schema: quotasQuery }) query: QuotasQuery) {
    refuseUser(query)
    await this.quotas.reset(id)
  }
}

/** A limit that is taken and not kept to would be worse than none. */
function refuseUser({ user_id: userId }: QuotasQuery): void {
  if (userId) throw new CloudError('Invalid', 'A single user has no limits of their own here: change those of the project.')
}
