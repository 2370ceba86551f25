import type { NetworkId, PortId, RouterId, SecurityGroupId } from '@nubo/kernel'
import { familyOf, isWithin, prefixLengthOf } from './addresses.js'
import { groupsById, judge, type Groups } from './groups/judge.js'
import { metadataAddress, metadataAddress6 } from './metadata/identities.js'
import type { HostPlan, NetworkPlan, PortPlan, RouterPlan, RulePlan } from './plan.js'
import { snatAddressOf } from './routers/translation.js'

/** A packet that begins a conversation. */
export interface TracedPacket {
  /** Of a guest on this host, from its first address of the destination's family. */
  from: PortId
  destination: string
  /** An IANA number. */
  protocol: number
  /** The destination's; of ICMP type and code. */
  port?: number
  code?: number
}

/** One place on its way, and what was said there. What is said is a code; a person's words are made of it where it is read. */
export type Hop =
  | {
      at: 'port'
      portId: PortId
      direction: RulePlan['direction']
      verdict: PortVerdict
      groupId?: SecurityGroupId
      rule?: RulePlan
    }
  | {
      at: 'network'
      networkId: NetworkId
      verdict: 'delivered' | 'answered-here' | 'nobody-there'
      address: string
      host?: string
    }
  | { at: 'router'; routerId: RouterId; verdict: RouterVerdict; source: string; destination: string; nexthop?: string }

export type PortVerdict =
  | 'allowed-by-rule'
  | 'not-filtered'
  | 'no-rule'
  | 'port-down'
  | 'no-address'
  | 'no-way-out'
  | 'unknown-port'
export type RouterVerdict = 'forwarded' | 'no-route' | 'router-down' | 'not-addressed'

export interface Trace {
  hops: readonly Hop[]
  /** `leaves`: what becomes of it is for another host, or the outside, to say. */
  outcome: 'arrives' | 'dropped' | 'leaves'
}

/** More than any sane chain of routers: those that send a packet in a circle come to an end. */
const mostRouters = 16

/** Says by the plan alone what becomes of a packet on this host, hop by hop: the same as its filters and routers do. */
export function trace(plan: HostPlan, packet: TracedPacket): Trace {
  return new Tracer(plan, packet).run()
}

interface OnItsWay {
  network: NetworkPlan
  source: string
  destination: string
  /** Whom the frame is for on this network. */
  nexthop: string
}

class Tracer {
  private readonly hops: Hop[] = []
  private readonly groups: Groups
  private routersPassed = 0

  constructor(
    private readonly plan: HostPlan,
    private readonly packet: TracedPacket,
  ) {
    this.groups = groupsById(plan.groups)
  }

  run(): Trace {
    return { outcome: this.begin(), hops: this.hops }
  }

  private begin(): Trace['outcome'] {
    const { from, destination } = this.packet
    const port = this.plan.ports.find(({ portId }) => portId === from)
    const network = port && this.networkOf(port.networkId)
    if (!port || !network) return this.endAtPort(from, 'egress', 'unknown-port')
    const source = port.addresses.find((address) => familyOf(address) === familyOf(destination))
    if (this.isMetadata()) return this.askForMetadata(port, network)
    if (source === undefined) return this.endAtPort(from, 'egress', 'no-address')
    if (!this.passesPort(port, 'egress', destination)) return 'dropped'
    const nexthop = nexthopOf(network, source, destination)
    if (nexthop === undefined) return this.endAtPort(from, 'egress', 'no-way-out')
    return this.cross({ network, source, destination, nexthop })
  }

  private isMetadata(): boolean {
    const { destination, protocol, port } = this.packet
    return protocol === 6 && port === 80 && (destination === metadataAddress || destination === metadataAddress6)
  }

  /** Whatever its groups say; see `metadata/callers.ts`. */
  private askForMetadata(port: PortPlan, { networkId, service }: NetworkPlan): Trace['outcome'] {
    if (!port.adminStateUp) return this.endAtPort(port.portId, 'egress', 'port-down')
    const verdict = service ? 'answered-here' : 'nobody-there'
    this.hops.push({ at: 'network', networkId, verdict, address: this.packet.destination })
    return service ? 'arrives' : 'dropped'
  }

  private passesPort(port: PortPlan, direction: RulePlan['direction'], remote: string): boolean {
    const { portId, adminStateUp, portSecurity } = port
    const about = { at: 'port', portId, direction } as const
    if (!adminStateUp) return this.say({ ...about, verdict: 'port-down' }, false)
    if (!portSecurity) return this.say({ ...about, verdict: 'not-filtered' }, true)
    const { by } = judge(port, this.groups, { ...this.packet, direction, remote })
    if (!by) return this.say({ ...about, verdict: 'no-rule' }, false)
    return this.say({ ...about, verdict: 'allowed-by-rule', groupId: by.group.groupId, rule: by.rule }, true)
  }

  /** From one end of a network to the other. */
  private cross(way: OnItsWay): Trace['outcome'] {
    const { network, source, nexthop, destination } = way
    const { networkId, service } = network
    const about = { at: 'network', networkId, address: nexthop } as const
    const isHere = ({ addresses, networkId: of }: Pick<PortPlan, 'addresses' | 'networkId'>) =>
      of === networkId && addresses.some((address) => address.split('/')[0] === nexthop)
    const port = this.plan.ports.find(isHere)
    if (port) {
      this.hops.push({ ...about, verdict: 'delivered' })
      // One that is not for the guest itself is one that the guest is to pass on.
      return this.passesPort(port, 'ingress', source) ? (nexthop === destination ? 'arrives' : 'leaves') : 'dropped'
    }
    const router = this.plan.routers.find((router) => plugsOf(router).some(isHere))
    if (router) {
      this.hops.push({ ...about, verdict: 'delivered' })
      return this.passRouter(router, way)
    }
    if (service?.addresses.includes(nexthop)) return this.end({ ...about, verdict: 'answered-here' }, 'arrives')
    const neighbour = network.neighbours.find(({ addresses }) => addresses.includes(nexthop))
    if (neighbour) return this.end({ ...about, verdict: 'delivered', host: neighbour.host }, 'leaves')
    // What is on a flat network besides is not ours to know.
    if (network.segment.kind === 'flat') return this.end({ ...about, verdict: 'delivered' }, 'leaves')
    return this.end({ ...about, verdict: 'nobody-there' }, 'dropped')
  }

  private passRouter(router: RouterPlan, way: OnItsWay): Trace['outcome'] {
    const { routerId } = router
    const fromInside = way.network.networkId !== router.gateway?.networkId
    const floating = router.gateway && router.floatingIps.find(({ address }) => address === way.destination)
    const destination = floating?.fixedAddress ?? way.destination
    const about = { at: 'router', routerId, source: way.source, destination } as const
    if (!router.adminStateUp || ++this.routersPassed > mostRouters)
      return this.end({ ...about, verdict: 'router-down' }, 'dropped')
    if (plugsOf(router).some(({ addresses }) => addresses.some((address) => address.split('/')[0] === destination))) {
      return this.end({ ...about, verdict: 'forwarded' }, 'arrives')
    }
    const next = routeOf(router, destination)
    const network = next && this.networkOf(next.networkId)
    if (!next || !network) return this.end({ ...about, verdict: 'no-route' }, 'dropped')
    const goesOut = next.networkId === router.gateway?.networkId
    const isHidden = !fromInside && !floating && !goesOut && familyOf(destination) === 4 && snatAddressOf(router) !== undefined
    if (isHidden) return this.end({ ...about, verdict: 'not-addressed' }, 'dropped')
    const source = fromInside && (goesOut || floating) ? sourceBehind(router, way.source) : way.source
    this.hops.push({ ...about, source, verdict: 'forwarded', nexthop: next.nexthop })
    return this.cross({ network, source, destination, nexthop: next.nexthop })
  }

  private networkOf(id: NetworkId): NetworkPlan | undefined {
    return this.plan.networks.find(({ networkId }) => networkId === id)
  }

  private endAtPort(portId: PortId, direction: RulePlan['direction'], verdict: PortVerdict): Trace['outcome'] {
    return this.end({ at: 'port', portId, direction, verdict }, 'dropped')
  }

  private end(hop: Hop, outcome: Trace['outcome']): Trace['outcome'] {
    this.hops.push(hop)
    return outcome
  }

  private say(hop: Hop, passes: boolean): boolean {
    this.hops.push(hop)
    return passes
  }
}

const plugsOf = ({ gateway, interfaces, floatingIps }: RouterPlan) => [
  ...(gateway ? [{ ...gateway, addresses: [...gateway.addresses, ...floatingIps.map(({ address }) => address)] }] : []),
  ...interfaces,
]

/** Where a guest sends it: the routes that its subnet's DHCP tells, the most specific first. Undefined where there is none. */
function nexthopOf({ subnets }: NetworkPlan, source: string, destination: string): string | undefined {
  const own = subnets.find(({ cidr }) => isWithin(source, cidr))
  if (!own || isWithin(destination, own.cidr)) return destination
  return longest(own.hostRoutes, destination)?.nexthop ?? own.gateway ?? undefined
}

/** Where a router sends it: to whoever has it on a network of its own, by a route of its tenant's, or out. */
function routeOf(router: RouterPlan, destination: string): { networkId: NetworkId; nexthop: string } | undefined {
  const plugs = [...(router.gateway ? [router.gateway] : []), ...router.interfaces]
  const towards = (address: string) => plugs.find(({ addresses }) => addresses.some((own) => isWithin(address, own)))
  const direct = towards(destination)
  if (direct) return { networkId: direct.networkId, nexthop: destination }
  const route = longest(router.routes, destination)
  const via = route && towards(route.nexthop)
  if (route && via) return { networkId: via.networkId, nexthop: route.nexthop }
  const nexthop = router.gateway?.nexthops.find((address) => familyOf(address) === familyOf(destination))
  return router.gateway && nexthop ? { networkId: router.gateway.networkId, nexthop } : undefined
}

function longest<R extends { destination: string }>(routes: readonly R[], destination: string): R | undefined {
  return routes
    .filter((route) => isWithin(destination, route.destination))
    .toSorted((a, b) => prefixLengthOf(b.destination) - prefixLengthOf(a.destination))[0]
}

/** Who it seems to come from behind the router. */
function sourceBehind(router: RouterPlan, source: string): string {
  if (familyOf(source) === 6) return source
  return router.floatingIps.find(({ fixedAddress }) => fixedAddress === source)?.address ?? snatAddressOf(router) ?? source
}
