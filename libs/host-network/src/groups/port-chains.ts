import type { SecurityGroupId } from '@nubo/kernel'
import { addressNumber, parsePrefix } from '../prefixes.js'
import type { TableBuilder } from '../engine/piece.js'
import type { PortPlan } from '../plan.js'
import { groupChain, portChain } from './chain-names.js'
import { marks } from './marks.js'
import { macsOf, sourcesOf } from './sources.js'

/** What every guarded guest may send whatever its groups say, and must never send. */
export const fromGuestsChain = 'from_guests'
/** What reaches every guarded guest whatever its groups say. */
export const toGuestsChain = 'to_guests'
export const trackedMap = 'tracked'

const neighbourAdvertisement = 136

/**
 * The two chains of a port that its groups are in force on.
 * @param isTracked whether what was let through once goes on: where none of the groups is without state.
 */
export function addPortChains(table: TableBuilder, port: PortPlan, groups: readonly SecurityGroupId[], isTracked: boolean): void {
  const tracked = isTracked ? [`meta mark & ${marks.mask} vmap @${trackedMap}`] : []
  const judged = (direction: 'egress' | 'ingress') => groups.map((groupId) => `jump ${groupChain(direction, groupId)}`)
  table
    .chain(portChain('egress', port.portId), undefined, 'shut')
    .rule(ownLeases(port), `jump ${fromGuestsChain}`, ...ownAdvertisements(port), ...tracked, ...judged('egress'), 'drop')
  table
    .chain(portChain('ingress', port.portId), undefined, 'shut')
    .rule(forOthers(port), `jump ${toGuestsChain}`, ...tracked, ...judged('ingress'), 'drop')
}

/**
 * A port asks for its own addresses alone, and gives back no other's: whom a client of DHCP says that it is stands behind the first
 * 36 bytes (RFC 2131, 2).
 */
function ownLeases(port: PortPlan): string {
  const macs = macsOf(sourcesOf(port)).map((mac) => `0x${mac.replaceAll(':', '')}`)
  return `udp dport 67 @th,288,48 != ${anyOf(macs)} drop`
}

/** A bridge floods what is for a MAC that it does not know: nobody hears what is meant for another. */
function forOthers(port: PortPlan): string {
  const own = anyOf(macsOf(sourcesOf(port)))
  return `ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr != ${own} drop`
}

const anyOf = (values: readonly string[]) => (values.length === 1 ? values[0]! : `{ ${values.join(', ')} }`)

/** A port says of its own addresses alone where they are. */
function ownAdvertisements(port: PortPlan): string[] {
  const own = sourcesOf(port).filter(({ family }) => family === 6)
  return [
    ...own.map(({ prefix }) => `icmpv6 type ${neighbourAdvertisement} ${targetIs(prefix)} accept`),
    `icmpv6 type ${neighbourAdvertisement} drop`,
  ]
}

/** The target stands behind the first 8 bytes of a neighbour advertisement (RFC 4861, 4.4). */
function targetIs(text: string): string {
  const { length } = parsePrefix(text)
  if (length === 0) return ''
  const target = addressNumber(text.split('/')[0]!) >> BigInt(128 - length)
  return `@th,64,${length} 0x${target.toString(16)}`
}
