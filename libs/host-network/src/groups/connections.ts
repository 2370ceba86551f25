import { canonical } from '../addresses.js'
import type { Follower } from '../follower.js'
import type { HostPlan, NetworkPlan, PortPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { parseConnection, type Connection } from './connection-lines.js'
import { groupsById, judge, type Groups } from './judge.js'
import { revoked } from './marks.js'
import { zonesOf } from './zones.js'

const timeoutMs = 60_000

/**
 * Holds what is under way against the rules as they are now: a connection that none of them would let begin is marked, and
 * its packets are dropped from then on, in both directions. It is not deleted: the kernel would take its next packet for the
 * first of a new one, and who answers may send whatever his own rules let out.
 */
export class Connections implements Follower {
  private known = new Map<string, string>()

  constructor(private readonly processes: ProcessRunner) {}

  async follow(plan: HostPlan): Promise<void> {
    const before = this.known
    const ports = plan.ports.filter((port) => isJudged(port, groupsById(plan.groups)))
    const after = new Map(ports.map((port) => [port.portId as string, rightsOf(port, plan)]))
    const changed = plan.networks.filter(({ networkId }) => {
      const own = plan.ports.filter((port) => port.networkId === networkId)
      return own.some(({ portId }) => before.get(portId) !== after.get(portId))
    })
    const zones = zonesOf(plan.networks)
    for (const network of changed) await this.judgeZone(zones.get(network.networkId)!, network, plan)
    this.known = after
  }

  private async judgeZone(zone: number, network: NetworkPlan, plan: HostPlan): Promise<void> {
    const ports = new Map(
      plan.ports
        .filter(({ networkId }) => networkId === network.networkId)
        .flatMap((port) => port.addresses.map((address) => [canonical(address), port] as const)),
    )
    const groups = groupsById(plan.groups)
    const corrections = (await this.connectionsIn(zone)).flatMap((connection) => {
      const { tuple, line, isRevoked } = connection
      const isRight = isLetThrough(connection, ports, groups)
      return isRight !== isRevoked ? [] : [`-D ${tuple}`, isRight ? line : `${line} -m ${revoked}`]
    })
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

const isJudged = (port: PortPlan, groups: Groups) =>
  port.portSecurity && port.adminStateUp && port.groups.every((groupId) => groups.get(groupId)?.stateful !== false)

/** All that what a port may do follows from. */
function rightsOf(port: PortPlan, { groups }: HostPlan): string {
  const own = groups.filter(({ groupId }) => port.groups.includes(groupId))
  const remote = new Set(own.flatMap(({ rules }) => rules.flatMap(({ remoteGroup }) => remoteGroup ?? [])))
  const members = groups.filter(({ groupId }) => remote.has(groupId)).map((group) => group.members)
  return JSON.stringify([port.addresses, own.map(({ groupId, rules }) => [groupId, rules]), members])
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
