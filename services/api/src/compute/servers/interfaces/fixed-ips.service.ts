import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  changeAddresses,
  lockRecord,
  notePortChange,
  portRecords,
  prefixesOfNetwork,
  readInterfaces,
  serverOfPort,
  touchRecord,
  type Database,
  type Once,
  type PortRecord,
  type ServerInterface,
  type Transaction,
} from '@nubo/database'
import { canonicalAddress, parsePrefix, type WantedAddress } from '@nubo/domain'
import { CloudError, type Random, type ServerId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { HostsHint } from '../../../network/hints/hosts-hint.js'
import { ServersService } from '../servers.service.js'

const everything = { projectId: null, seesAll: true }

/** Single addresses of the interfaces that a server has (`nova/network/neutron.py`; clients change the port since 2.44). */
@Injectable()
export class FixedIpsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
    private readonly servers: ServersService,
    private readonly hint: HostsHint,
  ) {}

  /** One more address on the interface that is on that network. */
  async add(caller: Caller, id: string, networkId: string, once: Once): Promise<void> {
    const server = await this.servers.find(caller, id)
    await this.database.transaction((tx) =>
      once.within(tx, async () => {
        const port = await lockInterface(tx, server.id, (each) => each.networkId === networkId)
        if (!port) throw new CloudError('NotFound', `Network could not be found for instance ${id}.`)
        await this.change(tx, port, [...port.fixedAddresses, { subnetId: await subnetFor(tx, networkId) }])
      }),
    )
    this.hint.cast()
  }

  async remove(caller: Caller, id: string, text: string, once: Once): Promise<void> {
    const server = await this.servers.find(caller, id)
    const address = canonicalAddress(text)!
    const isMeant = (port: ServerInterface) => port.fixedIps.some(({ ip_address: each }) => each === address)
    await this.database.transaction((tx) =>
      once.within(tx, async () => {
        const port = await lockInterface(tx, server.id, isMeant)
        const others = port?.fixedAddresses.filter((each) => each.address !== address) ?? []
        if (!port || others.length === port.fixedAddresses.length)
          throw new CloudError('Invalid', `Instance ${id} does not have fixed IP '${text}'.`)
        await this.change(tx, port, others)
      }),
    )
    this.hint.cast()
  }

  private async change(tx: Transaction, port: PortRecord, wanted: readonly WantedAddress[]): Promise<void> {
    if (!(await changeAddresses(tx, port, wanted, this.random))) return
    await notePortChange(tx, port.networkId, port.groupIds)
    await touchRecord(tx, portRecords, port.id)
  }
}

/** The server's interface that is meant, locked: other requests change its addresses too. */
async function lockInterface(
  tx: Transaction,
  serverId: ServerId,
  isMeant: (port: ServerInterface) => boolean,
): Promise<PortRecord | undefined> {
  const found = (await readInterfaces(tx, serverId)).find(isMeant)
  const port = found && (await lockRecord(tx, portRecords, everything, found.portId))
  return port && (await serverOfPort(tx, found.portId)) === serverId ? port : undefined
}

/** Of several, one of IPv4: many of IPv6 give addresses that follow from the MAC, and so no second one. */
async function subnetFor(tx: Transaction, networkId: string): Promise<string> {
  const subnets = await prefixesOfNetwork(tx, networkId)
  return (subnets.find(({ cidr }) => parsePrefix(cidr)!.family === 4) ?? subnets[0]!).id
}
