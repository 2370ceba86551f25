import { Module } from '@nestjs/common'
import { NetworkQuotasController } from './quotas.controller.js'
import { NetworkQuotasService } from './quotas.service.js'

@Module({ controllers: [NetworkQuotasController], providers: [NetworkQuotasService] })
export class NetworkQuotasModule {}
