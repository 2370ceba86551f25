import { CloudError } from '@nubo/kernel'
import { familyOf } from '../addresses.js'
import type { HostPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import type { Watch } from './watch.js'

const timeoutMs = 10_000

/** What a VXLAN puts around a packet: the inner frame's header, its own, and those of UDP and IP. */
const overheadBytes = { 4: 50, 6: 70 } as const

/**
 * Whether full packets of the networks fit through the way to other hosts. Where they do not the kernel takes them apart: all
 * works, and at a fraction of the speed.
 */
export class UnderlayWatch implements Watch {
  /** The link that has the address; undefined where none has it. */
  private way: { link: string; mtu: number } | undefined

  /** @param address of this host, on the underlay. */
  constructor(
    private readonly processes: ProcessRunner,
    private readonly address: string,
  ) {}

  async look(): Promise<void> {
    try {
      const answer = await this.processes.run('ip', ['-json', 'address', 'show', 'to', this.address], { timeoutMs })
      const links = JSON.parse(answer.trim() || '[]') as { ifname?: string; mtu?: number }[]
      // Links with other addresses may be listed too, as empty objects.
      const found = links.find(({ ifname }) => ifname !== undefined)
      this.way = found && { link: found.ifname!, mtu: found.mtu! }
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      this.way = undefined
    }
  }

  warning({ networks }: HostPlan): string | undefined {
    const widest = Math.max(0, ...networks.filter(({ segment }) => segment.kind === 'vxlan').map(({ mtu }) => mtu))
    const needed = widest + overheadBytes[familyOf(this.address)]
    if (widest === 0 || !this.way || needed <= this.way.mtu) return undefined
    const { link, mtu } = this.way
    return `${link}, the way to other hosts, carries ${mtu} bytes; networks with an MTU of ${widest} need ${needed} of it`
  }
}
