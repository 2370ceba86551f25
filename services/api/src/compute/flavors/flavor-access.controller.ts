import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { Actions, ApiVersion, CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { parse } from '../parameter-types.js'
import { FlavorAccessService } from './flavor-access.service.js'
import { addAccessPolicy, listAccessPolicy, removeAccessPolicy } from './flavors.policies.js'
import { accessBodies } from './flavors.schemas.js'
import { flavorAccessView } from './flavors.views.js'

/** https://docs.openstack.org/api-ref/compute/#flavors-access-flavors-os-flavor-access-addtenantaccess-removetenantaccess-action */
@Controller('v2.1/flavors/:id')
export class FlavorAccessController {
  constructor(private readonly access: FlavorAccessService) {}

  @Get('os-flavor-access')
  @Guarded(listAccessPolicy)
  @Operation('flavor-access.list')
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return flavorAccessView(id, await this.access.list(caller, id))
  }

  @Post('action')
  @HttpCode(200)
  @Operation('flavor.action')
  @Idempotent()
  @Actions({ addTenantAccess: { policy: addAccessPolicy }, removeTenantAccess: { policy: removeAccessPolicy } })
  async act(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() body: Record<string, unknown>,
    @CurrentRequestKey() key: RequestKey | undefined,
    @ApiVersion() minor: number,
  ) {
    const answer = (projectIds: readonly string[]) => flavorAccessView(id, projectIds)
    const once = new Once(key, answer)
    const projectIds =
      'addTenantAccess' in body
        ? await this.access.add(caller, id, parse(accessBodies.addTenantAccess, body), minor, once)
        : await this.access.remove(caller, id, parse(accessBodies.removeTenantAccess, body), once)
    return answer(projectIds)
  }
}
