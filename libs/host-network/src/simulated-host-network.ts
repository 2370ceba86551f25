import type { PortId } from '@nubo/kernel'
import type { Applied, HostNetwork, Plug } from './host-network.js'
import { bridgeName, tapName } from './names.js'
import type { HostPlan } from './plan.js'

/** The networks of a host that has none: all that it is told is so at once. */
export class SimulatedHostNetwork implements HostNetwork {
  private plan: HostPlan | undefined
  private plugs = new Map<PortId, Plug>()
  /** While it says something, plans are taken and not carried out; for tests. */
  trouble: string | undefined
  /** What it says of all that it carries out; for tests. */
  warning: string | undefined

  async apply(plan: HostPlan): Promise<Applied> {
    this.plan = plan
    return await this.mend()
  }

  async mend(): Promise<Applied> {
    const { plan, trouble, warning } = this
    if (!plan) return { revision: 0 }
    if (trouble !== undefined) return { revision: plan.revision, trouble }
    const networks = new Map(plan.networks.map((network) => [network.networkId, network]))
    this.plugs = new Map(
      plan.ports.flatMap(({ portId, networkId }): [PortId, Plug][] => {
        const network = networks.get(networkId)
        return network ? [[portId, { bridge: bridgeName(network), device: tapName(portId) }]] : []
      }),
    )
    return { revision: plan.revision, ...(warning !== undefined && { warning }) }
  }

  plug(port: PortId): Plug | undefined {
    return this.plugs.get(port)
  }

  async close(): Promise<void> {}
}
