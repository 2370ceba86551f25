import { identitiesOf, type HostPlan, type PortPlan } from '@nubo/host-network'
import type { NetworkId, PortId } from '@nubo/kernel'

export type Callable = Pick<HostPlan, 'networks' | 'ports'>

/** Who calls from which address. */
export type Identities = (plan: Callable) => readonly { identity: string; port: PortPlan }[]

/**
 * Which port calls from an identity. A plan takes its time to come into force, and may not: until it has, an identity that
 * passes from one port to another is still put on the calls of the first, and is nobody's.
 */
export class Callers {
  private ports: ReadonlyMap<string, PortPlan> = new Map()
  /** By identity, all ports whose calls may bear it now, and their networks. */
  private readonly bearers = new Map<string, Map<PortId, NetworkId>>()

  constructor(private readonly identities: Identities = identitiesOf) {}

  portOf(identity: string): PortPlan | undefined {
    const isContested = (this.bearers.get(identity)?.size ?? 0) > 1
    return isContested ? undefined : this.ports.get(identity)
  }

  /** All ports of the plan. */
  get portIds(): Set<PortId> {
    return new Set([...this.ports.values()].map(({ portId }) => portId))
  }

  /** The plan is about to come into force. */
  follow(plan: Callable): void {
    this.ports = new Map(this.identities(plan).map(({ identity, port }) => [identity, port]))
    for (const [identity, { portId, networkId }] of this.ports) {
      const bearers = this.bearers.get(identity) ?? new Map<PortId, NetworkId>()
      this.bearers.set(identity, bearers.set(portId, networkId))
    }
  }

  /** It is in force for these networks: nobody of theirs bears what is another's now. */
  settle(isInForce: (networkId: NetworkId) => boolean): void {
    for (const [identity, bearers] of this.bearers) {
      const own = this.ports.get(identity)?.portId
      for (const [portId, networkId] of bearers) if (portId !== own && isInForce(networkId)) bearers.delete(portId)
      if (bearers.size === 0) this.bearers.delete(identity)
    }
  }
}
