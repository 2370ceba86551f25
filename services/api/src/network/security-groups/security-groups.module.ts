import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { tagsController } from '../base/tags.controller.js'
import { securityGroupRules } from './security-group-rules.js'
import { SecurityGroupRulesService } from './security-group-rules.service.js'
import { securityGroups } from './security-groups.js'
import { SecurityGroupsService } from './security-groups.service.js'

@Module({
  controllers: [
    resourceController(securityGroups, SecurityGroupsService),
    tagsController(securityGroups, SecurityGroupsService),
    resourceController(securityGroupRules, SecurityGroupRulesService),
  ],
  providers: [SecurityGroupsService, SecurityGroupRulesService],
  exports: [SecurityGroupsService],
})
export class SecurityGroupsModule {}
