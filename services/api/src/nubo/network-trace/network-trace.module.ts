import { Module } from '@nestjs/common'
import { ServersModule } from '../../compute/servers/servers.module.js'
import { NetworkTraceController } from './network-trace.controller.js'
import { NetworkTraceService } from './network-trace.service.js'

@Module({ imports: [ServersModule], controllers: [NetworkTraceController], providers: [NetworkTraceService] })
export class NetworkTraceModule {}
