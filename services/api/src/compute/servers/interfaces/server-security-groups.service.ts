import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  addGroupToServer,
  findGroupsByName,
  holdGroups,
  readGroupsOfServer,
  removeGroupFromServer,
  type Database,
  type Once,
} from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { HostsHint } from '../../../network/hints/hosts-hint.js'
import { ServersService } from '../servers.service.js'
import { theOne } from './requested-networks.js'

/** The security groups of a server: of all its ports alike. */
@Injectable()
export class ServerSecurityGroupsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
    private readonly hint: HostsHint,
  ) {}

  async add(caller: Caller, id: string, name: string, once: Once): Promise<void> {
    const { serverId, groupId } = await this.find(caller, id, name)
    await this.database.transaction((tx) =>
      once.within(tx, async () => {
        if ((await holdGroups(tx, [groupId])).length === 0) throw new CloudError('NotFound', `Security group ${name} not found.`)
        if ((await addGroupToServer(tx, serverId, groupId)) === 0)
          throw new CloudError('NotFound', `instance_id ${id} could not be found as device id on any ports`)
      }),
    )
    this.hint.cast()
  }

  async remove(caller: Caller, id: string, name: string, once: Once): Promise<void> {
    const { serverId, groupId } = await this.find(caller, id, name)
    await this.database.transaction((tx) =>
      once.within(tx, async () => {
        if ((await removeGroupFromServer(tx, serverId, groupId)) === 0)
          throw new CloudError('NotFound', `Security group ${groupId} not associated with the instance ${id}`)
      }),
    )
    this.hint.cast()
  }

  async groupsOf(caller: Caller, id: string): Promise<{ projectId: string; groupIds: string[] }> {
    const { id: serverId, projectId } = await this.servers.find(caller, id)
    return { projectId, groupIds: await readGroupsOfServer(this.database, serverId) }
  }

  private async find(caller: Caller, id: string, name: string) {
    const server = await this.servers.find(caller, id)
    const found = await findGroupsByName(this.database, server.projectId, [name])
    return { serverId: server.id, groupId: theOne(name, found, 'NotFound').id }
  }
}
