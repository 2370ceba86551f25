import { isIP } from 'node:net'
import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  findHostByAddress,
  readBoundPorts,
  readMergedPlan,
  readNetworkNames,
  readTracedPorts,
  type Database,
  type Queryable,
  type TracedPort,
} from '@nubo/database'
import { trace, type Hop, type Trace } from '@nubo/host-network'
import { CloudError, type HostId, type PortId } from '@nubo/kernel'
import { ServersService } from '../../compute/servers/servers.service.js'
import type { NetworkTraceQuery } from './network-trace.schemas.js'

/** More hosts than any sane way leads through. */
const mostHosts = 8

export interface TracedWay extends Trace {
  /** Of networks, routers and groups. */
  names: ReadonlyMap<string, string>
  ports: ReadonlyMap<string, TracedPort>
}

/**
 * Says what becomes of a packet of a server, by the plans of the hosts that it passes: those are what the hosts were told, and
 * each does as it was told or says what it cannot.
 */
@Injectable()
export class NetworkTraceService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly servers: ServersService,
  ) {}

  async trace(caller: Caller, serverId: string, packet: NetworkTraceQuery): Promise<TracedWay> {
    const server = await this.servers.find(caller, serverId)
    return await this.database.snapshot(async (db) => {
      const ports = await readBoundPorts(db, server.id)
      const sameFamily = (address: string) => isIP(address) === isIP(packet.destination)
      const from = ports.find(({ addresses }) => addresses.some(sameFamily)) ?? ports[0]
      if (!from) throw new CloudError('Conflict', `Server ${serverId} is connected to no network on a host.`)
      const way = await this.follow(db, [from.hostId], { ...packet, from: from.portId as PortId })
      return { ...way, names: await readNetworkNames(db, idsOf(way.hops)), ports: await readTracedPorts(db, portsOf(way.hops)) }
    })
  }

  /** Where the way leads to another host, that one's plan says the rest. */
  private async follow(db: Queryable, hosts: readonly HostId[], packet: NetworkTraceQuery & { from: PortId }): Promise<Trace> {
    const plan = await readMergedPlan(db, hosts)
    if (!plan) throw new CloudError('Conflict', 'The host of this server was not told of its networks yet.')
    const way = trace(plan, packet)
    const last = way.hops.at(-1)
    const next = last?.at === 'network' && last.host !== undefined ? await findHostByAddress(db, last.host) : undefined
    if (next === undefined || hosts.includes(next) || hosts.length === mostHosts) return way
    return await this.follow(db, [...hosts, next], packet)
  }
}

function idsOf(hops: readonly Hop[]): string[] {
  return hops.flatMap((hop): string[] => {
    if (hop.at === 'network') return [hop.networkId]
    if (hop.at === 'router') return [hop.routerId]
    return hop.groupId ? [hop.groupId] : []
  })
}

const portsOf = (hops: readonly Hop[]) => hops.flatMap((hop) => (hop.at === 'port' ? [hop.portId] : []))
