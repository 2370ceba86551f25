import { Module } from '@nestjs/common'
import { ServersModule } from '../compute/servers/servers.module.js'
import { DoctorModule } from './doctor/doctor.module.js'
import { HostKeysModule } from './host-keys/host-keys.module.js'
import { HostsModule } from './hosts/hosts.module.js'
import { NetworkTraceModule } from './network-trace/network-trace.module.js'
import { OperationsModule } from './operations/operations.module.js'
import { PlacementController } from './placement.controller.js'
import { NuboVersionController } from './version.controller.js'

/** What is ours, beside OpenStack's API: below /nubo/v1. */
@Module({
  imports: [ServersModule, DoctorModule, HostKeysModule, HostsModule, NetworkTraceModule, OperationsModule],
  controllers: [NuboVersionController, PlacementController],
})
export class NuboModule {}
