import { Controller, Get, Param } from '@nestjs/common'
import { policy, projectOf, projectReaderOrAdmin, type Caller } from '@nubo/auth'
import { CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import { SecurityGroupsService } from '../../network/security-groups/security-groups.service.js'
import { groupViews } from './security-groups.views.js'

const listPolicy = policy('os_compute_api:os-security-groups:get', 'List security groups.', projectReaderOrAdmin)
const showPolicy = policy('os_compute_api:os-security-groups:show', 'Show a security group.', projectReaderOrAdmin)

/** Clients of before 2.36 find groups here by their name: https://docs.openstack.org/api-ref/compute/#security-groups-os-security-groups-deprecated */
@Controller('v2.1/os-security-groups')
export class ComputeSecurityGroupsController {
  constructor(private readonly groups: SecurityGroupsService) {}

  @Get()
  @Guarded(listPolicy)
  @Operation('security-group.list')
  async list(@CurrentCaller() caller: Caller) {
    const groups = await this.groups.list(caller, { project_id: projectOf(caller) })
    return { security_groups: groupViews(groups, groups) }
  }

  @Get(':id')
  @Guarded(showPolicy)
  @Operation('security-group.show')
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const group = await this.groups.find(caller, id)
    const [view] = groupViews([group], await this.groups.list(caller, { project_id: group.projectId }))
    return { security_group: view }
  }
}
