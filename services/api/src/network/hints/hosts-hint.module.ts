import { Global, Module } from '@nestjs/common'
import { HostsHint } from './hosts-hint.js'

/** One for the whole service, so that what is changed by several ways at once is gathered. */
@Global()
@Module({ providers: [HostsHint], exports: [HostsHint] })
export class HostsHintModule {}
