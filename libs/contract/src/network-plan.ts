import { z } from 'zod'
import { hostId, networkId, portId, projectId, routerId, securityGroupId, sequence, serverId, sessionId } from './envelope.js'
import { words } from './told.js'

const address = z.union([z.ipv4(), z.ipv6()])
const prefix = z.union([z.cidrv4(), z.cidrv6()])
const mac = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
const route = z.object({ destination: prefix, nexthop: address })

/** IPv6: who gives addresses, as Neutron's ipv6_ra_mode and ipv6_address_mode name it. */
const ipv6Mode = z.enum(['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'])

export const plannedSubnet = z.object({
  cidr: prefix,
  gateway: address.nullable(),
  dhcp: z.boolean(),
  dnsNameservers: z.array(address),
  hostRoutes: z.array(route),
  raMode: ipv6Mode.nullable(),
  addressMode: ipv6Mode.nullable(),
})

/** Behind another host: where frames for it are sent, and who answers ARP and neighbour solicitations for it is the own host. */
export const plannedNeighbour = z.object({
  mac,
  addresses: z.array(address),
  /** The other host on the underlay. */
  host: address,
})

/** What names of guests end with where their network says nothing: the same on all hosts, and shown by the network API. */
export const usualDomain = 'openstacklocal'

/** A network of which the host carries a port or a router's interface. */
export const plannedNetwork = z.object({
  networkId,
  projectId,
  /** VXLAN, or, for a flat network, the host's own device of that name. */
  segment: z.union([
    z.object({ kind: z.literal('vxlan'), vni: z.int().min(1).max(16_777_215) }),
    z.object({ kind: z.literal('flat'), physicalNetwork: z.string() }),
  ]),
  mtu: z.int().min(68).max(65_535),
  /** What names of its guests end with; empty: `usualDomain`. */
  dnsDomain: z.string(),
  subnets: z.array(plannedSubnet),
  /** Answers DHCP, DNS and metadata on every host alike, with the same MAC and addresses; null where no subnet has DHCP. */
  service: z.object({ portId, mac, addresses: z.array(address) }).nullable(),
  neighbours: z.array(plannedNeighbour),
  /** Of all ports of the network that have a name, wherever they are: what its DNS answers. */
  names: z.array(z.object({ name: z.string(), addresses: z.array(address) })),
})

/** A port of a guest on this host. */
export const plannedPort = z.object({
  portId,
  networkId,
  projectId,
  /** The guest that it belongs to. */
  serverId,
  mac,
  addresses: z.array(address),
  adminStateUp: z.boolean(),
  /** False: neither groups nor anti-spoofing. */
  portSecurity: z.boolean(),
  allowedPairs: z.array(z.object({ mac, prefix })),
  groups: z.array(securityGroupId),
  /** Of the guest, for DHCP and DNS; null where it has none. */
  hostname: z.string().nullable(),
  extraDhcpOptions: z.array(z.object({ name: z.string(), value: z.string(), ipVersion: z.union([z.literal(4), z.literal(6)]) })),
  /** The tenant's key and value pairs of the server, as they are now. */
  serverMetadata: z.record(z.string(), z.string()),
  /** Of the guest, whichever of its ports it leads to: its first floating IP. */
  publicIpv4: z.ipv4().nullable().default(null),
  /** How many passwords of the guest its owner has cleared: one that was set before counts no more. */
  passwordClears: z.int().nonnegative().default(0),
})

export const plannedRule = z.object({
  direction: z.enum(['ingress', 'egress']),
  ethertype: z.enum(['IPv4', 'IPv6']),
  /** An IANA number; null is any. */
  protocol: z.int().min(0).max(255).nullable(),
  /** Ports, or for ICMP type (min) and code (max). */
  portMin: z.int().min(0).max(65_535).nullable(),
  portMax: z.int().min(0).max(65_535).nullable(),
  remotePrefix: prefix.nullable(),
  remoteGroup: securityGroupId.nullable(),
})

/** A group that a port of this host is in, or that one of those groups' rules names. */
export const plannedGroup = z.object({
  groupId: securityGroupId,
  stateful: z.boolean(),
  rules: z.array(plannedRule),
  /** Addresses of its members, wherever they are: only where a rule on this host names it as its remote group. */
  members: z.array(prefix),
})

/** A router that lives on this host. */
export const plannedRouter = z.object({
  routerId,
  projectId,
  /** Raised by each move. */
  incarnation: z.int().positive(),
  adminStateUp: z.boolean(),
  gateway: z
    .object({
      portId,
      networkId,
      mac,
      /** With the length of their prefix. */
      addresses: z.array(prefix),
      /** Next hops of the default routes. */
      nexthops: z.array(address),
      snat: z.boolean(),
    })
    .nullable(),
  interfaces: z.array(
    z.object({
      portId,
      networkId,
      mac,
      addresses: z.array(prefix),
      /** IPv6 prefixes that it advertises, and how addresses of them are given out. */
      advertised: z.array(z.object({ prefix, mode: ipv6Mode })),
    }),
  ),
  routes: z.array(route),
  floatingIps: z.array(z.object({ address: z.ipv4(), fixedAddress: z.ipv4() })),
})

/**
 * All that a host's networks are to be, whole: what is not in it is taken away. A host keeps the newest that it was told,
 * and makes it so again after every start.
 */
export const networkPlan = z.object({
  kind: z.literal('network-plan'),
  hostId,
  sessionId,
  /** Grows with each change. A plan with a lower one than the host carries says nothing any more. */
  revision: z.int().positive(),
  networks: z.array(plannedNetwork),
  ports: z.array(plannedPort),
  groups: z.array(plannedGroup),
  routers: z.array(plannedRouter),
})
export type NetworkPlan = z.output<typeof networkPlan>

/** The units of a plan, each of which can be left out without the others. */
const units = { networks: plannedNetwork, ports: plannedPort, groups: plannedGroup, routers: plannedRouter } as const
type UnitList = keyof typeof units
const idOf = { networks: 'networkId', ports: 'portId', groups: 'groupId', routers: 'routerId' } as const

/** A unit of a plan that breaks the contract. */
export interface UnreadableUnit {
  list: UnitList
  /** As it came; undefined where even that cannot be told. */
  id: string | undefined
  unit: unknown
  /** For a person. */
  why: string
}

const envelopeOfPlan = networkPlan.extend({
  networks: z.array(z.unknown()),
  ports: z.array(z.unknown()),
  groups: z.array(z.unknown()),
  routers: z.array(z.unknown()),
})

/**
 * A plan by its units, so that one of them that breaks the contract (another version's, or a defect) does not keep a host from
 * all others. Undefined where it is no plan at all.
 */
export function readNetworkPlan(message: unknown): { plan: NetworkPlan; unreadable: UnreadableUnit[] } | undefined {
  const envelope = envelopeOfPlan.safeParse(message)
  if (!envelope.success) return undefined
  const unreadable: UnreadableUnit[] = []
  const read = <List extends UnitList>(list: List): NetworkPlan[List] => {
    const found = envelope.data[list].flatMap((unit) => {
      const parsed = units[list].safeParse(unit)
      if (!parsed.success) unreadable.push(unreadableUnit(list, unit, parsed.error))
      return parsed.success ? [parsed.data] : []
    })
    return found as NetworkPlan[List]
  }
  const plan = { networks: read('networks'), ports: read('ports'), groups: read('groups'), routers: read('routers') }
  return { plan: { ...envelope.data, ...plan }, unreadable }
}

function unreadableUnit(list: UnitList, unit: unknown, error: z.ZodError): UnreadableUnit {
  const id = textIn(unit, idOf[list])
  const networkId = list === 'ports' ? textIn(unit, 'networkId') : undefined
  const name = `${list.slice(0, -1)} ${id ?? 'without an id'}${networkId ? ` of network ${networkId}` : ''}`
  const [issue] = error.issues
  return { list, id, unit, why: `${name} cannot be read: ${issue?.path.join('.')}: ${issue?.message}` }
}

function textIn(unit: unknown, key: string): string | undefined {
  const named = z.looseObject({ [key]: z.string().max(36) }).safeParse(unit)
  return named.success ? String(named.data[key]) : undefined
}

/** What a unit is known by in its list. */
export function unitId<List extends UnitList>(list: List, unit: NetworkPlan[List][number]): string {
  return (unit as Record<string, unknown>)[idOf[list]] as string
}

/** The host carries this plan; or all of it but what `trouble` names, which it goes on trying. */
export const networkPlanApplied = z.object({
  kind: z.literal('network-plan-applied'),
  hostId,
  sessionId,
  /** Null of an agent that does not number this yet: each counts as newer than the one before. */
  sequence: sequence.nullable().default(null),
  revision: z.int().nonnegative(),
  trouble: words(2_000).nullable(),
  /** The networks that `trouble` is about: all others are as they are to be. Empty where it may be about any. */
  troubled: z.array(networkId).default([]),
  /** What works, and worse than it could; for a person. */
  warning: words(2_000).nullable().default(null),
})
export type NetworkPlanApplied = z.output<typeof networkPlanApplied>

/** A network interface of a guest. What may pass it is the plan's to say. */
export const guestNic = z.object({
  portId,
  networkId,
  mac,
  mtu: z.int().positive(),
})
export type GuestNicSpecification = z.output<typeof guestNic>
