import type { Piece } from '../engine/piece.js'
import type { Hook } from '../engine/tables.js'
import { hostNamespace } from '../engine/objects.js'
import { metadataAddress, metadataAddress6 } from '../metadata/identities.js'
import type { Wire } from '../wire/segments.js'
import { bridgeOf } from '../names.js'
import type { HostSettings } from '../settings.js'
import { marks, revoked } from './marks.js'

const zoneMap = 'zones'
const stateChain = 'state'

/**
 * Tracks what crosses our bridges, each network in a zone of its own, and writes onto each packet what came of it.
 *
 * Where bridges track connections themselves, this stands in the bridge's own table; elsewhere br_netfilter shows their
 * packets to the tables of IP, as having come from the bridge.
 */
export function addTracking(piece: Piece, tracking: HostSettings['tracking']): void {
  const { table } = trackingTable(piece, tracking)
  const entrance = tracking === 'bridge' ? 'meta ibrname' : 'iifname'
  table.chain('zone', prerouting(-290)).rule(
    // The caller's own address comes back to it behind tracking.
    `ip daddr ${metadataAddress} tcp dport 80 notrack return`,
    `ip saddr ${metadataAddress} tcp sport 80 notrack return`,
    `ip6 daddr ${metadataAddress6} tcp dport 80 notrack return`,
    `ip6 saddr ${metadataAddress6} tcp sport 80 notrack return`,
    `${entrance} vmap @${zoneMap}`,
  )
  table.chain('tracked', prerouting(-150)).rule(`${entrance} @bridges goto ${stateChain}`)
  table
    .chain(stateChain)
    .rule(
      `ct mark & ${revoked} == ${revoked} meta mark set meta mark | ${marks.refused} return`,
      `ct state established,related meta mark set meta mark | ${marks.established} return`,
      `ct state invalid meta mark set meta mark | ${marks.refused}`,
    )
}

function trackingTable(piece: Piece, tracking: HostSettings['tracking']) {
  const [family, name] = tracking === 'bridge' ? (['bridge', 'nubo'] as const) : (['inet', 'nubo_tracking'] as const)
  const table = piece.table(hostNamespace, family, name)
  return {
    table,
    zones: table.set(zoneMap, { type: 'ifname', data: 'verdict' }),
    bridges: table.set('bridges', { type: 'ifname' }),
  }
}

/** What crosses this network's bridge is of this zone. */
export function addZone(piece: Piece, wire: Wire, zone: number, settings: HostSettings): void {
  const { table, zones, bridges } = trackingTable(piece, settings.tracking)
  table.chain(`zone_${zone}`).rule(`ct zone set ${zone}`)
  const bridge = bridgeOf(wire, settings)
  if (bridge === undefined) return
  zones.element(bridge, `goto zone_${zone}`)
  bridges.element(bridge)
}

const prerouting = (priority: number): Hook => ({ type: 'filter', hook: 'prerouting', priority, policy: 'accept' })
