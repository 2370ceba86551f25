import { Module } from '@nestjs/common'
import { ComputeVersionController } from './compute-version.controller.js'
import { ServersModule } from './servers/servers.module.js'

@Module({ imports: [ServersModule], controllers: [ComputeVersionController] })
export class ComputeModule {}
