import { Inject, Injectable } from '@nestjs/common'
import { publicHostKey, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { enrolHostKey, listHostKeys, removeHostKey, type Database, type HostKeyRow } from '@nubo/database'
import { CloudError, isUuid, type HostId } from '@nubo/kernel'

/** Which hosts are believed, by an operator's word. */
@Injectable()
export class HostKeysService {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  async list(): Promise<HostKeyRow[]> {
    return await listHostKeys(this.database)
  }

  /** The key counts within seconds, and the one before it no longer. */
  async enrol(caller: Caller, hostId: string, publicKey: string): Promise<HostKeyRow> {
    if (!isUuid(hostId))
      throw new CloudError('Invalid', `A host's id is a UUID, as in its agent's configuration; ${hostId} is none.`)
    const pem = publicHostKey(publicKey).export({ type: 'spki', format: 'pem' }).toString()
    await enrolHostKey(this.database, hostId as HostId, pem, caller.userId)
    return (await this.list()).find((row) => row.hostId === hostId)!
  }

  async remove(hostId: string): Promise<void> {
    if (isUuid(hostId) && (await removeHostKey(this.database, hostId as HostId))) return
    throw new CloudError('NotFound', `No key is enrolled for host ${hostId}.`)
  }
}
