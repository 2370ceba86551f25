import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { clearGuestPassword, readGuestPassword, type Database } from '@nubo/database'
import { ServersService } from './servers.service.js'

/** What a guest set as its password by the metadata service, sealed with its owner's key if it is well made. */
@Injectable()
export class ServerPasswordService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
  ) {}

  /** Empty where the guest set none, or it was cleared. */
  async read(caller: Caller, id: string): Promise<string> {
    const server = await this.servers.find(caller, id)
    return (await readGuestPassword(this.database, server.id)) ?? ''
  }

  /** The guest's own password stays as it is: it is forgotten here, and the guest may set another. */
  async clear(caller: Caller, id: string): Promise<void> {
    const server = await this.servers.find(caller, id)
    await this.database.transaction((tx) => clearGuestPassword(tx, server.id))
  }
}
