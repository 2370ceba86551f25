import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { clearGuestPassword, readGuestPassword, type Database } from '@nubo/database'
import { CurrentCaller, Guarded, Operation } from '@nubo/service-kit'
import { ChangesHosts } from '../../network/hints/changes-hosts.js'
import { clearPasswordPolicy, showPasswordPolicy } from './servers.policies.js'
import { ServersService } from './servers.service.js'

/**
 * What a guest set as its password by the metadata service, sealed with its owner's key if it is well made.
 * https://docs.openstack.org/api-ref/compute/#servers-password-servers-os-server-password
 */
@Controller('v2.1/servers/:id/os-server-password')
@ChangesHosts()
export class ServerPasswordController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
  ) {}

  @Get()
  @Guarded(showPasswordPolicy)
  @Operation('server-password.show')
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const server = await this.servers.find(caller, id)
    return { password: (await readGuestPassword(this.database, server.id)) ?? '' }
  }

  /** The guest's own password stays as it is: it is forgotten here, and the guest may set another. */
  @Delete()
  @HttpCode(204)
  @Guarded(clearPasswordPolicy)
  @Operation('server-password.delete')
  async clear(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const server = await this.servers.find(caller, id)
    await this.database.transaction((tx) => clearGuestPassword(tx, server.id))
  }
}
