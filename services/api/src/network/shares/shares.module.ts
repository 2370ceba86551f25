import { Module } from '@nestjs/common'
import { resourceController } from '../base/resource.controller.js'
import { shares } from './shares.js'
import { SharesService } from './shares.service.js'

@Module({ controllers: [resourceController(shares, SharesService)], providers: [SharesService] })
export class SharesModule {}
