import { linkLocalOf } from '../addresses.js'
import { lotOf, slotsOf, zonesOf, type Lot } from '../groups/zones.js'
import type { HostPlan, NetworkPlan, PortPlan } from '../plan.js'

/** Where guests ask for their metadata. */
export const metadataAddress = '169.254.169.254'
export const metadataAddress6 = 'fe80::a9fe:a9fe'

/** Addresses that nobody has (240.0.0.0/4 is reserved; the other is ours by RFC 4193): callers of the metadata service bear them. */
const begin6 = 'fd6e:7562:6f'
export const identityPrefix = { 4: '240.0.0.0/4', 6: `${begin6}::/48` } as const

/** Where the host's server is called at: no network's zone is 0, so nobody bears these. */
export const metadataHost = { 4: '240.0.0.1', 6: `${begin6}::1` } as const

const identitiesOfNetwork = 4_095
/** Of a port: whoever has many addresses asks from one of the first, and leaves the others of its network theirs. */
const addressesOfPort = 8

/** An address of a port, and the one that stands for it on the way to the metadata service: of the whole host only this port's. */
export interface Identity {
  port: PortPlan
  address: string
  identity: string
  family: 4 | 6
}

/**
 * Who may call the metadata service, and as whom. They follow from the plan, and stay the same for nearly every port whatever
 * else comes and goes. Whoever serves them ends the conversations of an identity that becomes another port's.
 */
export function identitiesOf({ networks, ports }: Pick<HostPlan, 'networks' | 'ports'>): Identity[] {
  const zones = zonesOf(networks)
  const portsOf = Map.groupBy(ports, ({ networkId }) => networkId)
  return networks
    .filter(({ service }) => service !== null)
    .flatMap(({ networkId }) => inNetwork(zones.get(networkId)!, portsOf.get(networkId) ?? []))
}

function inNetwork(zone: number, ports: readonly PortPlan[]): Identity[] {
  const callers = ports.filter(({ adminStateUp }) => adminStateUp).flatMap(callersOf)
  const slots = slotsOf(
    callers.map(({ lot }) => lot),
    identitiesOfNetwork,
  )
  return callers.flatMap((caller) => {
    const slot = slots.get(caller.lot.key)
    return slot === undefined ? [] : [identified(caller, identityAt(zone, slot, caller.family))]
  })
}

interface Caller extends Omit<Identity, 'identity'> {
  lot: Lot
  /** What it was the last time. */
  known?: Identity
}

/** The same one, while it is the same. */
function identified(caller: Caller, identity: string): Identity {
  const { port, address, family, known } = caller
  if (known?.identity === identity) return known
  return (caller.known = { port, address, family, identity })
}

const callersByPort = new WeakMap<PortPlan, Caller[]>()

/** A port that is as it was calls from the same addresses. */
function callersOf(port: PortPlan): readonly Caller[] {
  const before = callersByPort.get(port)
  if (before) return before
  const own = port.addresses.filter((address) => !address.includes(':')).slice(0, addressesOfPort)
  const all = [...own.map((address) => ({ address, family: 4 as const })), { address: linkLocalOf(port.mac), family: 6 as const }]
  const callers = all.map((one) => ({ port, ...one, lot: lotOf(`${port.portId} ${one.address}`) }))
  callersByPort.set(port, callers)
  return callers
}

function identityAt(zone: number, slot: number, family: 4 | 6): string {
  if (family === 6) return `${begin6}:${zone.toString(16)}::${slot.toString(16)}`
  const number = 0xf0_00_00_00 + zone * 0x10_00 + slot
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.')
}

/** All identities of a network. */
export function identityPrefixesOf(network: NetworkPlan, zones: ReadonlyMap<string, number>): { 4: string; 6: string } {
  const zone = zones.get(network.networkId)!
  return { 4: `${identityAt(zone, 0, 4)}/20`, 6: `${begin6}:${zone.toString(16)}::/64` }
}
