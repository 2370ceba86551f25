import { Module } from '@nestjs/common'
import { ComputeVersionController } from './compute-version.controller.js'
import { AvailabilityZonesModule } from './availability-zones/availability-zones.module.js'
import { ExtensionsModule } from './extensions/extensions.module.js'
import { FlavorsModule } from './flavors/flavors.module.js'
import { HypervisorsModule } from './hypervisors/hypervisors.module.js'
import { KeypairsModule } from './keypairs/keypairs.module.js'
import { LimitsModule } from './limits/limits.module.js'
import { QuotasModule } from './quotas/quotas.module.js'
import { ComputeSecurityGroupsModule } from './security-groups/security-groups.module.js'
import { ServersModule } from './servers/servers.module.js'
import { ServicesModule } from './services/services.module.js'

@Module({
  imports: [
    ServersModule,
    FlavorsModule,
    KeypairsModule,
    QuotasModule,
    LimitsModule,
    HypervisorsModule,
    ServicesModule,
    ComputeSecurityGroupsModule,
    AvailabilityZonesModule,
    ExtensionsModule,
  ],
  controllers: [ComputeVersionController],
})
export class ComputeModule {}
