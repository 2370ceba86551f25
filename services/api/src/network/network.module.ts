import { Module } from '@nestjs/common'
import { NetworksModule } from './networks/networks.module.js'
import { SecurityGroupsModule } from './security-groups/security-groups.module.js'
import { SubnetPoolsModule } from './subnet-pools/subnet-pools.module.js'
import { SubnetsModule } from './subnets/subnets.module.js'
import { NetworkVersionsController } from './versions/network-versions.controller.js'

@Module({
  imports: [NetworksModule, SubnetsModule, SubnetPoolsModule, SecurityGroupsModule],
  controllers: [NetworkVersionsController],
})
export class NetworkModule {}
