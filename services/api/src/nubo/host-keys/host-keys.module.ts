import { Module } from '@nestjs/common'
import { HostKeysController } from './host-keys.controller.js'
import { HostKeysService } from './host-keys.service.js'

@Module({ controllers: [HostKeysController], providers: [HostKeysService] })
export class HostKeysModule {}
