import { Module } from '@nestjs/common'
import { NetworksModule } from './networks/networks.module.js'
import { NetworkVersionsController } from './versions/network-versions.controller.js'

@Module({ imports: [NetworksModule], controllers: [NetworkVersionsController] })
export class NetworkModule {}
