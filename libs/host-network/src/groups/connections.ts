import type { NetworkId } from '@nubo/kernel'
import { canonical } from '../addresses.js'
import type { Follower } from '../follower.js'
import type { HostPlan, NetworkPlan, PortPlan } from '../plan.js'
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
  /** Where connections are marked: what is given may be theirs. */
  private readonly marked = new Set<NetworkId>()

  constructor(private readonly processes: ProcessRunner) {}

  async follow(plan: HostPlan): Promise<void> {
    const before = this.known
    const after = rightsOf(plan)
    const zones = zonesOf(plan.networks)
    const change = before && changeOf(before, after)
    for (const network of plan.networks) {
      const { networkId } = network
      const isToJudge = !change || change.less.has(networkId) || (change.more.has(networkId) && this.marked.has(networkId))
      if (isToJudge) await this.judgeZone(zones.get(networkId)!, network, plan)
    }
    this.known = after
  }

  private async judgeZone(zone: number, network: NetworkPlan, plan: HostPlan): Promise<void> {
    const ports = new Map(
      plan.ports
        .filter(({ networkId }) => networkId === network.networkId)
        .flatMap((port) => port.addresses.map((address) => [canonical(address), port] as const)),
    )
    const groups = groupsById(plan.groups)
    let hasMarked = false
    const corrections = (await this.connectionsIn(zone)).flatMap((connection) => {
      const { tuple, line, isRevoked } = connection
      const isRight = isLetThrough(connection, ports, groups)
      hasMarked ||= !isRight
      return isRight !== isRevoked ? [] : [`-D ${tuple}`, isRight ? line : `${line} -m ${revoked}`]
    })
    if (hasMarked) this.marked.add(network.networkId)
    else this.marked.delete(network.networkId)
    if (corrections.length === 0) return
    // It opens its input by name, which a socket has none of.
    await this.processes.run('sh', ['-c', 'cat | conntrack -R -'], { timeoutMs, input: `${corrections.join('\n')}\n` })
  }

  /** Marks are not in the words that make a connection again, so those with one are listed once more. */
  private async connectionsIn(zone: number): Promise<(Connection & { isRevoked: boolean })[]> {
    const [all, marked] = await Promise.all([this.list(zone), this.list(zone, '-m', String(revoked))])
    const lines = new Set(marked.map(({ tuple }) => tuple))
    return all.map((connection) => ({ ...connection, isRevoked: lines.has(connection.tuple) }))
  }

  private async list(zone: number, ...filter: string[]): Promise<Connection[]> {
    const listings = ['ipv4', 'ipv6'].map((family) =>
      this.processes.run('conntrack', ['-L', '-f', family, '-w', String(zone), ...filter, '-o', 'save'], { timeoutMs }),
    )
    const lines = (await Promise.all(listings)).flatMap((listing) => listing.split('\n'))
    return lines.map(parseConnection).filter((connection) => connection !== undefined)
  }
}

/** What every guest may do is not in its groups' rules. */
const everyones = new Set([67, 68, 546, 547])

function isLetThrough(connection: Connection, ports: ReadonlyMap<string, PortPlan>, groups: Groups): boolean {
  const { source, destination, protocol, port, code } = connection
  if (protocol === 17 && port !== undefined && everyones.has(port)) return true
  const ask = (local: string, remote: string, direction: 'egress' | 'ingress') => {
    const own = ports.get(local)
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
