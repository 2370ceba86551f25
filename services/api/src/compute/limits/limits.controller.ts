import { Controller, Get, Inject, Query } from '@nestjs/common'
import { enforce, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { readQuota, type Database, type QuotaState } from '@nubo/database'
import type { ProjectId } from '@nubo/kernel'
import { CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import { z } from 'zod'
import { repeatable } from '../parameter-types.js'
import { otherProjectLimitsPolicy, showLimitsPolicy } from './limits.policies.js'
import { limitsView } from './limits.views.js'

const limitsQuery = z.strictObject({ tenant_id: repeatable(z.string()) })

/** https://docs.openstack.org/api-ref/compute/#limits-limits */
@Controller('v2.1/limits')
export class LimitsController {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Get()
  @Guarded(showLimitsPolicy)
  @Operation('limits.show', { limits: 'limits' })
  async show(@CurrentCaller() caller: Caller, @Query({ schema: limitsQuery }) query: z.output<typeof limitsQuery>) {
    const { tenant_id: other } = query
    if (other !== undefined) enforce(otherProjectLimitsPolicy, caller)
    const own = caller.scope.kind === 'project' ? caller.scope.projectId : undefined
    const projectId = (other as ProjectId | undefined) ?? own
    // Without a project there is nothing but the defaults.
    const quota = projectId === undefined ? nothing : await readQuota(this.database, projectId)
    return { limits: limitsView(quota) }
  }
}

const nothing: QuotaState = { limits: {}, used: { instances: 0, cores: 0, ramMiB: 0 } }
