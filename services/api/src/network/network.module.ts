import { Module } from '@nestjs/common'
import { AddressUseController } from './address-use/address-use.controller.js'
import { AgentsModule } from './agents/agents.module.js'
import { NetworkExtensionsController } from './extensions/extensions.controller.js'
import { FloatingIpsModule } from './floating-ips/floating-ips.module.js'
import { HostsHintModule } from './hints/hosts-hint.module.js'
import { NetworksModule } from './networks/networks.module.js'
import { PortsModule } from './ports/ports.module.js'
import { SecurityGroupsModule } from './security-groups/security-groups.module.js'
import { NetworkQuotasModule } from './quotas/quotas.module.js'
import { RoutersModule } from './routers/routers.module.js'
import { SharesModule } from './shares/shares.module.js'
import { SubnetPoolsModule } from './subnet-pools/subnet-pools.module.js'
import { SubnetsModule } from './subnets/subnets.module.js'
import { NetworkVersionsController } from './versions/network-versions.controller.js'

@Module({
  imports: [
    HostsHintModule,
    SharesModule,
    NetworkQuotasModule,
    AgentsModule,
    NetworksModule,
    SubnetsModule,
    SubnetPoolsModule,
    RoutersModule,
    FloatingIpsModule,
    SecurityGroupsModule,
    PortsModule,
  ],
  controllers: [NetworkVersionsController, NetworkExtensionsController, AddressUseController],
})
export class NetworkModule {}
