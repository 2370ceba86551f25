import { SimulatedHostNetwork, type Applied, type HostNetwork, type HostPlan, type Plug } from '@nubo/host-network'
import type { PortId } from '@nubo/kernel'
import type { Chance } from '../core/chance.js'
import type { Process } from '../core/process.js'

const usuallyMs = 30

/** What a host's kernel carries of networks: it outlives the agents that made it so, and goes with the power. */
export class HostNetworks {
  inForce: HostPlan | undefined
  /** While it says something, nothing is changed. */
  trouble: string | undefined
  /** What works, and worse than it could. */
  warning: string | undefined
  /** A change takes so long at the most, twice over. */
  slowestMs = usuallyMs

  constructor(private readonly chance: Chance) {}

  /** All is well with them from now on. */
  heal(): void {
    this.trouble = undefined
    this.warning = undefined
    this.slowestMs = usuallyMs
  }

  /** As one agent drives it. */
  drivenBy(process: Process): HostNetwork {
    return new DrivenNetworks(this, process, this.chance)
  }
}

/** Killed on the way, an agent has made the change or has not. */
class DrivenNetworks implements HostNetwork {
  private readonly told = new SimulatedHostNetwork()
  private plan: HostPlan | undefined
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly kernel: HostNetworks,
    private readonly process: Process,
    private readonly chance: Chance,
  ) {}

  apply(plan: HostPlan): Promise<Applied> {
    return this.inTurn(() => this.carryOut((this.plan = plan)))
  }

  mend(): Promise<Applied> {
    return this.inTurn(async () => (this.plan ? await this.carryOut(this.plan) : { revision: 0 }))
  }

  private inTurn(work: () => Promise<Applied>): Promise<Applied> {
    const result = this.turn.then(work)
    this.turn = result
    return result
  }

  private async carryOut(plan: HostPlan): Promise<Applied> {
    const { kernel } = this
    await this.process.delay(this.chance.between(1, kernel.slowestMs))
    if (kernel.trouble !== undefined) return { revision: plan.revision, trouble: kernel.trouble }
    kernel.inForce = plan
    await this.process.delay(this.chance.between(1, kernel.slowestMs))
    const { warning } = kernel
    return { ...(await this.told.apply(plan)), ...(warning !== undefined && { warning }) }
  }

  plug(port: PortId): Plug | undefined {
    return this.told.plug(port)
  }

  async close(): Promise<void> {}
}
