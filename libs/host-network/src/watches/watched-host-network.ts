import type { PortId } from '@nubo/kernel'
import type { Applied, HostNetwork, Plug } from '../host-network.js'
import type { HostPlan } from '../plan.js'
import type { Watch } from './watch.js'

/** A host's networks, with warnings of what is watched beside them: looked at when they are mended, and not for each change. */
export class WatchedHostNetwork implements HostNetwork {
  private plan: HostPlan | undefined

  constructor(
    private readonly network: HostNetwork,
    private readonly watches: readonly Watch[],
  ) {}

  async apply(plan: HostPlan): Promise<Applied> {
    this.plan = plan
    return this.warned(await this.network.apply(plan), plan)
  }

  async mend(): Promise<Applied> {
    const applied = await this.network.mend()
    if (!this.plan) return applied
    for (const watch of this.watches) await watch.look(this.plan)
    return this.warned(applied, this.plan)
  }

  plug(port: PortId): Plug | undefined {
    return this.network.plug(port)
  }

  close(): Promise<void> {
    return this.network.close()
  }

  private warned(applied: Applied, plan: HostPlan): Applied {
    const warnings = this.watches.map((watch) => watch.warning(plan)).filter((warning) => warning !== undefined)
    return warnings.length === 0 ? applied : { ...applied, warning: warnings.join('; ') }
  }
}
