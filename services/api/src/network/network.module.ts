import { Module } from '@nestjs/common'
import { FloatingIpsModule } from './floating-ips/floating-ips.module.js'
import { NetworksModule } from './networks/networks.module.js'
import { SecurityGroupsModule } from './security-groups/security-groups.module.js'
import { RoutersModule } from './routers/routers.module.js'
import { SubnetPoolsModule } from './subnet-pools/subnet-pools.module.js'
import { SubnetsModule } from './subnets/subnets.module.js'
import { NetworkVersionsController } from './versions/network-versions.controller.js'

@Module({
  imports: [NetworksModule, SubnetsModule, SubnetPoolsModule, RoutersModule, FloatingIpsModule, SecurityGroupsModule],
  controllers: [NetworkVersionsController],
})
export class NetworkModule {}
