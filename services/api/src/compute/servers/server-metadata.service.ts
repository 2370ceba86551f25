import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import type { Caller } from '@nubo/auth'
import { deleteMetadataItem, Once, readQuota, writeMetadata, type Database } from '@nubo/database'
import { exceeded, limitsOf } from '@nubo/domain'
import { CloudError } from '@nubo/kernel'
import { ServersService } from './servers.service.js'

type Items = Record<string, string>

@Injectable()
export class ServerMetadataService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
  ) {}

  async read(caller: Caller, id: string): Promise<Items> {
    return (await this.servers.find(caller, id)).metadata
  }

  async readItem(caller: Caller, id: string, key: string): Promise<Items> {
    const metadata = await this.read(caller, id)
    if (!Object.hasOwn(metadata, key)) throw new CloudError('NotFound', 'Metadata item was not found')
    return { [key]: metadata[key]! }
  }

  /** Merges `items` into what is there, or puts them in its place. Returns all that is there then. */
  async write(
    caller: Caller,
    id: string,
    items: Items,
    { replace }: { replace: boolean },
    once: Once<Items> = Once.unkeyed,
  ): Promise<Items> {
    const server = await this.servers.require('updateMetadata', caller, id)
    const { limits } = await readQuota(this.database, server.projectId)
    const { metadataItems: limit } = limitsOf(limits)
    return await once.run(this.database, async (db) => {
      const written = await writeMetadata(db, server.id, items, { replace, limit })
      if (written) return written
      const over = exceeded(limitsOf(limits), {}, { metadataItems: limit + 1 })
      throw new CloudError('QuotaExceeded', over?.message ?? 'Too many metadata items.')
    })
  }

  async delete(caller: Caller, id: string, key: string): Promise<void> {
    const server = await this.servers.require('deleteMetadata', caller, id)
    if (!(await deleteMetadataItem(this.database, server.id, key)))
      throw new CloudError('NotFound', 'Metadata item was not found')
  }
}
