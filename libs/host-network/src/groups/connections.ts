import type { NetworkId } from '@nubo/kernel'
import { canonical } from '../addresses.js'
import type { Follower } from '../follower.js'
import type { HostPlan, PortPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { parseConnection, type Connection } from './connection-lines.js'
import { groupsById, judge, type Groups } from './judge.js'
import { revoked } from './marks.js'
import { changeOf, isJudged, rightsOf, type Rights } from './rights.js'
import { zonesOf } from './zones.js'

const timeoutMs = 60_000

/**
 * Holds what is under way against the rules as they are now: a connection that none of them would let begin is marked, and
 * its packets are dropped from then on, in both directions. It is not deleted: the kernel would take its next packet for the
 * first of a new one, and who answers may send whatever his own rules let out.
 */
export class Connections implements Follower {
  /** Undefined before the first plan: what was let through until then nobody knows. */
  private known: Rights | undefined
  /** Where none is marked: there nothing that is given can be anybody's whose connection was. */
  private unmarked = new Set<NetworkId>()

  constructor(private readonly processes: ProcessRunner) {}

  async follow(plan: HostPlan): Promise<void> {
    const before = this.known
    const after = rightsOf(plan)
    const change = before && changeOf(before, after)
    const toJudge = plan.networks
      .map(({ networkId }) => networkId)
      .filter((id) => !change || change.less.has(id) || (change.more.has(id) && !this.unmarked.has(id)))
    if (toJudge.length > 0) await this.judgeNetworks(new Set(toJudge), plan)
    const here = plan.networks.map(({ networkId }) => networkId)
    this.unmarked = new Set(here.filter((networkId) => this.unmarked.has(networkId)))
    this.known = after
  }

  private async judgeNetworks(networks: ReadonlySet<NetworkId>, plan: HostPlan): Promise<void> {
    const zones = new Map([...zonesOf(plan.networks)].map(([networkId, zone]) => [zone, networkId as NetworkId]))
    const ports = portsByAddress(plan.ports.filter(({ networkId }) => networks.has(networkId)))
    const groups = groupsById(plan.groups)
    const marked = new Set<NetworkId>()
    const corrections = (await this.connectionsOf(networks, zones)).flatMap((connection) => {
      const { tuple, line, isRevoked, networkId } = connection
      const isRight = isLetThrough(connection, (address) => ports.get(placeOf(networkId, address)), groups)
      if (!isRight) marked.add(networkId)
      return isRight !== isRevoked ? [] : [`-D ${tuple}`, isRight ? line : `${line} -m ${revoked}`]
    })
    await this.correct(corrections)
    for (const networkId of networks) this.unmarked[marked.has(networkId) ? 'delete' : 'add'](networkId)
  }

  private async correct(corrections: readonly string[]): Promise<void> {
    if (corrections.length === 0) return
    // It opens its input by name, which a socket has none of.
    await this.processes.run('sh', ['-c', 'cat | conntrack -R -'], { timeoutMs, input: `${corrections.join('\n')}\n` })
  }

  /** Marks are not in the words that make a connection again, so those with one are listed once more. */
  private async connectionsOf(networks: ReadonlySet<NetworkId>, zones: ReadonlyMap<number, NetworkId>): Promise<Judged[]> {
    const wanted = [...zones].filter(([, networkId]) => networks.has(networkId))
    const zone = wanted.length === 1 ? ['-w', String(wanted[0]![0])] : []
    const areMarked = [...networks].some((networkId) => !this.unmarked.has(networkId))
    const marked = areMarked ? await this.list(...zone, '-m', String(revoked)) : []
    const lines = new Set(marked.map(({ tuple }) => tuple))
    return (await this.list(...zone)).flatMap((connection) => {
      const networkId = zones.get(connection.zone)
      if (networkId === undefined || !networks.has(networkId)) return []
      return [{ ...connection, networkId, isRevoked: lines.has(connection.tuple) }]
    })
  }

  private async list(...filter: string[]): Promise<Connection[]> {
    const listings = ['ipv4', 'ipv6'].map((family) =>
      this.processes.run('conntrack', ['-L', '-f', family, ...filter, '-o', 'save'], { timeoutMs }),
    )
    const lines = (await Promise.all(listings)).flatMap((listing) => listing.split('\n'))
    return lines.map(parseConnection).filter((connection) => connection !== undefined)
  }
}

interface Judged extends Connection {
  networkId: NetworkId
  isRevoked: boolean
}

const placeOf = (networkId: NetworkId, address: string) => `${networkId} ${address}`

function portsByAddress(ports: readonly PortPlan[]): Map<string, PortPlan> {
  const placed = ports.flatMap((port) => port.addresses.map((one) => [placeOf(port.networkId, canonical(one)), port] as const))
  return new Map(placed)
}

/** What every guest may do is not in its groups' rules. */
const everyones = new Set([67, 68, 546, 547])

function isLetThrough(connection: Connection, portAt: (address: string) => PortPlan | undefined, groups: Groups): boolean {
  const { source, destination, protocol, port, code } = connection
  if (protocol === 17 && port !== undefined && everyones.has(port)) return true
  const ask = (local: string, remote: string, direction: 'egress' | 'ingress') => {
    const own = portAt(local)
    if (!own || !isJudged(own, groups)) return true
    return (
      judge(own, groups, {
        direction,
        remote,
        protocol,
        ...(port !== undefined && { port }),
        ...(code !== undefined && { code }),
      }).by !== undefined
    )
  }
  return ask(source, destination, 'egress') && ask(destination, source, 'ingress')
}
