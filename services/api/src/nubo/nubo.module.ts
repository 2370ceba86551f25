import { Module } from '@nestjs/common'
import { ServersModule } from '../compute/servers/servers.module.js'
import { PlacementController } from './placement.controller.js'

/** What is ours, beside OpenStack's API: below /nubo/v1. */
@Module({ imports: [ServersModule], controllers: [PlacementController] })
export class NuboModule {}
