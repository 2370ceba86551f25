import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import { CASTER, DATABASE, ENGINE, OPERATION_STORE } from '@nubo/control-plane'
import {
  findAvailableNetworks,
  nextDeviceIndex,
  notePortBound,
  readInterfaces,
  type Database,
  type Once,
  type PgOperationStore,
  type PgOperationTransaction,
  type ServerInterface,
  type ServerRow,
} from '@nubo/database'
import { requireAllowed, type ServerAction } from '@nubo/domain'
import { CloudError, type Random, type RequestId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Caster, OperationEngine, Opened, ServerRecord } from '@nubo/workflow'
import { ServersService } from '../servers.service.js'
import type { AttachInterfaceBody } from './interfaces.schemas.js'
import { plugPorts } from './plug-ports.js'
import { RequestedNetworks, type WantedInterface } from './requested-networks.js'

type Wish = AttachInterfaceBody['interfaceAttachment']

/** The interfaces of servers that are there. */
@Injectable()
export class InterfacesService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(OPERATION_STORE) private readonly store: PgOperationStore,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(CASTER) private readonly caster: Caster,
    @Inject(RANDOM) private readonly random: Random,
    private readonly networks: RequestedNetworks,
    private readonly servers: ServersService,
  ) {}

  async list(caller: Caller, id: string): Promise<ServerInterface[]> {
    const server = await this.servers.find(caller, id)
    return await readInterfaces(this.database, server.id)
  }

  async find(caller: Caller, id: string, portId: string): Promise<ServerInterface> {
    const found = (await this.list(caller, id)).find((each) => each.portId === portId)
    if (!found) throw new CloudError('NotFound', `Instance ${id} does not have a port with id ${portId}.`)
    return found
  }

  /** The port is the server's when this resolves; its guest has it when the operation has ended. */
  async attach(
    caller: Caller,
    id: string,
    wish: Wish,
    { requestId, once }: { requestId: RequestId; once: Once<ServerInterface> },
  ): Promise<ServerInterface> {
    const seen = await this.servers.find(caller, id)
    const wanted = await this.wantedBy(caller, wish, seen.projectId)
    let opened: Opened
    const attached = await this.store.transaction((tx) =>
      once.within(tx.tx, async () => {
        const server = await this.lockIdle(tx, caller, seen, 'attachInterface')
        const { id: serverId, projectId, hostId } = server
        const firstIndex = await nextDeviceIndex(tx.tx, serverId)
        const interfaces = { interfaces: [wanted], groups: undefined }
        const [portId] = await plugPorts(tx.tx, [{ id: serverId, projectId, hostId, firstIndex }], interfaces, this.random)
        await notePortBound(tx.tx, portId!)
        opened = await this.engine.begin(tx, 'server.attach-interface', server, requester(caller, server, requestId), { portId })
        const [made] = await readInterfaces(tx.tx, serverId, portId)
        return made!
      }),
    )
    await this.caster.cast([opened])
    return attached
  }

  async detach(caller: Caller, id: string, portId: string, requestId: RequestId): Promise<void> {
    const seen = await this.servers.find(caller, id)
    const opened = await this.store.transaction(async (tx) => {
      const server = await this.lockIdle(tx, caller, seen, 'detachInterface')
      const [found] = await readInterfaces(tx.tx, server.id, portId)
      if (!found) throw new CloudError('NotFound', `Port id ${portId} could not be found.`)
      return await this.engine.begin(tx, 'server.detach-interface', server, requester(caller, server, requestId), { portId })
    })
    await this.caster.cast([opened])
  }

  private async wantedBy(caller: Caller, wish: Wish, projectId: string): Promise<WantedInterface> {
    const { net_id: uuid, port_id: port, fixed_ips: fixedIps, tag } = wish
    if (uuid && port) throw new CloudError('Invalid', 'Must not input both network_id and port_id')
    if (fixedIps && !uuid) throw new CloudError('Invalid', 'Must input network_id when request IP address')
    const only = uuid || port ? uuid : await this.theOnlyNetwork(caller)
    const asked = { uuid: only, port, fixed_ip: fixedIps?.[0]?.ip_address, tag }
    const [wanted] = await this.networks.of(caller, [asked], { missing: 'NotFound', projectId })
    return wanted!
  }

  private async theOnlyNetwork(caller: Caller) {
    const projectId = projectOf(caller)
    const available = await findAvailableNetworks(this.database, projectId)
    if (available.length > 1)
      throw new CloudError('Invalid', 'Multiple possible networks found, use a Network ID to be more specific.')
    const [network] = available
    if (network) return network.id
    throw new CloudError('Invalid', `No specific network was requested and none are available for project '${projectId}'.`)
  }

  /** Throws Conflict where the server's state does not allow it, or something else is being done to it. */
  private async lockIdle(
    tx: PgOperationTransaction,
    caller: Caller,
    seen: ServerRow,
    action: ServerAction,
  ): Promise<ServerRecord> {
    const found = await tx.lockServer(seen.id)
    if (!found) throw new CloudError('NotFound', `Instance ${seen.id} could not be found.`)
    const { server, live } = found
    const { vmState, taskState, hostId } = server as Pick<ServerRow, 'vmState' | 'taskState' | 'hostId'>
    requireAllowed(action, { ...seen, vmState, taskState, hostId }, isCloudAdmin(caller))
    if (live) throw new CloudError('Conflict', `Instance ${seen.id} is busy: another operation on it is under way.`)
    return server
  }
}

function requester(caller: Caller, { projectId }: ServerRecord, requestId: RequestId) {
  return { projectId, userId: caller.userId, requestId }
}
