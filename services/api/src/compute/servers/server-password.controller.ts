import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import { ChangesHosts } from '../../network/hints/changes-hosts.js'
import { ServerPasswordService } from './server-password.service.js'
import { clearPasswordPolicy, showPasswordPolicy } from './servers.policies.js'

/** https://docs.openstack.org/api-ref/compute/#servers-password-servers-os-server-password */
@Controller('v2.1/servers/:id/os-server-password')
@ChangesHosts()
export class ServerPasswordController {
  constructor(private readonly passwords: ServerPasswordService) {}

  @Get()
  @Guarded(showPasswordPolicy)
  @Operation('server-password.show')
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return { password: await this.passwords.read(caller, id) }
  }

  @Delete()
  @HttpCode(204)
  @Guarded(clearPasswordPolicy)
  @Operation('server-password.delete')
  async clear(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    await this.passwords.clear(caller, id)
  }
}
