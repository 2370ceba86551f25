import { Module } from '@nestjs/common'
import { KeypairsController } from './keypairs.controller.js'
import { KeypairsService } from './keypairs.service.js'

@Module({ controllers: [KeypairsController], providers: [KeypairsService] })
export class KeypairsModule {}
