import { SimulatedHostNetwork, type Applied, type HostNetwork, type HostPlan, type Plug } from '@nubo/host-network'
import type { PortId } from '@nubo/kernel'
import type { Chance } from '../core/chance.js'
import type { Process } from '../core/process.js'

/** What a host's kernel carries of networks: it outlives the agents that made it so, and goes with the power. */
export class HostNetworks {
  inForce: HostPlan | undefined
  /** While it says something, nothing is changed. */
  trouble: string | undefined

  constructor(private readonly chance: Chance) {}

  /** As one agent drives it. */
  drivenBy(process: Process): HostNetwork {
    return new DrivenNetworks(this, process, this.chance)
  }
}

/** Killed on the way, an agent has made the change or has not. */
class DrivenNetworks implements HostNetwork {
  private readonly told = new SimulatedHostNetwork()
  private plan: HostPlan | undefined

  constructor(
    private readonly kernel: HostNetworks,
    private readonly process: Process,
    private readonly chance: Chance,
  ) {}

  async apply(plan: HostPlan): Promise<Applied> {
    this.plan = plan
    return await this.mend()
  }

  async mend(): Promise<Applied> {
    const { plan, kernel } = this
    if (!plan) return { revision: 0 }
    await this.process.delay(this.chance.between(1, 30))
    if (kernel.trouble !== undefined) return { revision: plan.revision, trouble: kernel.trouble }
    kernel.inForce = plan
    await this.process.delay(this.chance.between(1, 30))
    return await this.told.apply(plan)
  }

  plug(port: PortId): Plug | undefined {
    return this.told.plug(port)
  }

  async close(): Promise<void> {}
}
