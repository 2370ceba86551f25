import { Controller, Get, Param } from '@nestjs/common'
import { policy, projectReaderOrAdmin, type Caller } from '@nubo/auth'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { SecurityGroupsService } from '../../network/security-groups/security-groups.service.js'
import { ServerSecurityGroupsService } from '../servers/interfaces/server-security-groups.service.js'
import { groupViews } from './security-groups.views.js'

const listPolicy = policy('os_compute_api:os-security-groups:list', 'List the security groups of a server.', projectReaderOrAdmin)

/** https://docs.openstack.org/api-ref/compute/#list-security-groups-by-server */
@Controller('v2.1/servers/:id/os-security-groups')
export class ServerSecurityGroupsController {
  constructor(
    private readonly servers: ServerSecurityGroupsService,
    private readonly groups: SecurityGroupsService,
  ) {}

  @Get()
  @Guarded(listPolicy)
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const { projectId, groupIds } = await this.servers.groupsOf(caller, id)
    const all = await this.groups.list(caller, { project_id: projectId })
    return {
      security_groups: groupViews(
        all.filter((group) => groupIds.includes(group.id)),
        all,
      ),
    }
  }
}
