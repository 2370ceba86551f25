import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { enrolHostKeyPolicy, listHostKeysPolicy, removeHostKeyPolicy } from './host-keys.policies.js'
import { enrolHostKeyBody, type EnrolHostKeyBody } from './host-keys.schemas.js'
import { HostKeysService } from './host-keys.service.js'
import { hostKeyView } from './host-keys.views.js'

/** The keys with which hosts sign what they tell (docs/security.md). */
@Controller('nubo/v1/host-keys')
export class HostKeysController {
  constructor(private readonly keys: HostKeysService) {}

  @Get()
  @Guarded(listHostKeysPolicy)
  async list() {
    return { host_keys: (await this.keys.list()).map(hostKeyView) }
  }

  @Put(':host_id')
  @Guarded(enrolHostKeyPolicy)
  async enrol(
    @CurrentCaller() caller: Caller,
    @Param('host_id') hostId: string,
    @Body({ schema: enrolHostKeyBody }) { host_key }: EnrolHostKeyBody,
  ) {
    return { host_key: hostKeyView(await this.keys.enrol(caller, hostId, host_key.public_key)) }
  }

  @Delete(':host_id')
  @HttpCode(204)
  @Guarded(removeHostKeyPolicy)
  async remove(@Param('host_id') hostId: string) {
    await this.keys.remove(hostId)
  }
}
