import type { ProgramBuilder } from '../engine/program.js'
import type { Hook } from '../engine/tables.js'
import { hostNamespace } from '../engine/objects.js'
import { metadataAddress, metadataAddress6 } from '../metadata/identities.js'
import { bridgeOf } from '../names.js'
import type { NetworkPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { marks, revoked } from './marks.js'
import { zonesOf } from './zones.js'

const zoneMap = 'zones'
const stateChain = 'state'

/**
 * Tracks what crosses our bridges, each network in a zone of its own, and writes onto each packet what came of it.
 *
 * Where bridges track connections themselves, this stands in the bridge's own table; elsewhere br_netfilter shows their
 * packets to the tables of IP, as having come from the bridge.
 */
export function addTracking(program: ProgramBuilder, networks: readonly NetworkPlan[], settings: HostSettings): void {
  const mode = settings.tracking
  const table = program.table(hostNamespace, mode === 'bridge' ? 'bridge' : 'inet', mode === 'bridge' ? 'nubo' : 'nubo_tracking')
  const entrance = mode === 'bridge' ? 'meta ibrname' : 'iifname'
  const zones = table.set(zoneMap, { type: 'ifname', data: 'verdict' })
  const ours = table.set('bridges', { type: 'ifname' })
  const numbers = zonesOf(networks)
  for (const network of networks) {
    const number = numbers.get(network.networkId)!
    table.chain(`zone_${number}`).rule(`ct zone set ${number}`)
    const bridge = bridgeOf(network, settings)
    if (bridge === undefined) continue
    zones.element(bridge, `goto zone_${number}`)
    ours.element(bridge)
  }
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

const prerouting = (priority: number): Hook => ({ type: 'filter', hook: 'prerouting', priority, policy: 'accept' })
