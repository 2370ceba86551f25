import { Module } from '@nestjs/common'
import { ExtensionsController } from './extensions.controller.js'

@Module({ controllers: [ExtensionsController] })
export class ExtensionsModule {}
