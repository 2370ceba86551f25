import { CloudError, type PortId } from '@nubo/kernel'
import { canonical } from '../addresses.js'
import { parseConnection } from '../groups/connection-lines.js'
import { zonesOf } from '../groups/zones.js'
import type { HostPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import type { Watch } from './watch.js'

const timeoutMs = 60_000
/** From this share of what the kernel may track on somebody is told; only then it costs something to list whose they are. */
const muchPercent = 70
/** In steps, as what is told is told again when it differs. */
const stepPercent = 10

/**
 * How full the kernel's table of tracked connections is, which all ports share: when it is full, new connections of others are
 * dropped (decision 16).
 */
export class TrackedConnectionsWatch implements Watch {
  private found: { percent: number; most: number; by: PortId | undefined } | undefined

  constructor(private readonly processes: ProcessRunner) {}

  async look(plan: HostPlan): Promise<void> {
    try {
      const [count, most] = await this.numbers()
      // 0 is no limit.
      const percent = most === 0 ? 0 : Math.floor(((count / most) * 100) / stepPercent) * stepPercent
      this.found = percent >= muchPercent ? { percent, most, by: await this.whoHasMost(plan) } : undefined
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      this.found = undefined
    }
  }

  warning(): string | undefined {
    if (!this.found) return undefined
    const { percent, most, by } = this.found
    const who = by === undefined ? '' : `, most of them begun by port ${by}`
    return `${percent} % of the ${most} connections that may be tracked (nf_conntrack_max) are there${who}: at 100 % nobody can begin another`
  }

  private async numbers(): Promise<[count: number, most: number]> {
    const paths = ['count', 'max'].map((name) => `/proc/sys/net/netfilter/nf_conntrack_${name}`)
    const answer = await this.processes.run('cat', paths, { timeoutMs })
    const [count = 0, most = 0] = answer.trim().split('\n').map(Number)
    return [count, most]
  }

  private async whoHasMost(plan: HostPlan): Promise<PortId | undefined> {
    const zones = zonesOf(plan.networks)
    const ports = new Map(
      plan.ports.flatMap((port) =>
        port.addresses.map((address) => [`${zones.get(port.networkId)} ${canonical(address)}`, port.portId] as const),
      ),
    )
    const listing = await this.processes.run('conntrack', ['-L', '-o', 'save'], { timeoutMs })
    const counts = new Map<PortId, number>()
    for (const line of listing.split('\n')) {
      const connection = parseConnection(line)
      const portId = connection && ports.get(`${connection.zone} ${connection.source}`)
      if (portId !== undefined) counts.set(portId, (counts.get(portId) ?? 0) + 1)
    }
    const [first] = [...counts].toSorted(([, a], [, b]) => b - a)
    return first?.[0]
  }
}
