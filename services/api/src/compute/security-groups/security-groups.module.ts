import { Module } from '@nestjs/common'
import { SecurityGroupsModule } from '../../network/security-groups/security-groups.module.js'
import { ServersModule } from '../servers/servers.module.js'
import { ComputeSecurityGroupsController } from './security-groups.controller.js'
import { ServerSecurityGroupsController } from './server-security-groups.controller.js'

@Module({
  imports: [SecurityGroupsModule, ServersModule],
  controllers: [ComputeSecurityGroupsController, ServerSecurityGroupsController],
})
export class ComputeSecurityGroupsModule {}
