import type { TableBuilder } from '../engine/piece.js'
import type { Hook } from '../engine/tables.js'
import { answerRules } from '../metadata/callers.js'
import { identityPrefix, metadataAddress, metadataAddress6 } from '../metadata/identities.js'
import { linkPatterns } from '../names.js'
import { marks } from './marks.js'
import { fromGuestsChain, toGuestsChain, trackedMap } from './port-chains.js'

/** Each tap's way through the rules. */
export const guardMap = 'guards'
export const egressMap = 'egress'
export const ingressMap = 'ingress'

const { tap, service, vxlan, routerInside } = linkPatterns

const hook = (name: Hook['hook'], priority: number): Hook => ({ type: 'filter', hook: name, priority, policy: 'accept' })

/** Ahead of connection tracking, which bridges do at -200 or, with br_netfilter, at 0. */
const beforeTracking = -300

/** What stands on every host, however many ports it has. */
export function addBaseChains(table: TableBuilder): void {
  for (const map of [guardMap, egressMap, ingressMap]) table.set(map, { type: 'ifname', data: 'verdict' })
  const tracked = table.set(trackedMap, { type: 'mark', data: 'verdict' })
  tracked.element(String(marks.established), 'accept')
  tracked.element(String(marks.refused), 'drop')
  addWays(table)
  addFromGuests(table)
  addToGuests(table)
}

/**
 * Who it is, what it may send, what may reach the other end: each an end of its own, so that one which accepts leaves the
 * next its say. A tap that no plan names passes nothing.
 */
function addWays(table: TableBuilder): void {
  table.chain('guard', hook('prerouting', beforeTracking)).rule(`iifname vmap @${guardMap}`, `iifname "${tap}" drop`)
  table.chain('judge_egress', hook('forward', -20)).rule(
    // Identities are given at taps alone: from elsewhere nobody has one.
    `iifname != "${tap}" oifname "${service}" ip saddr ${identityPrefix[4]} drop`,
    `iifname != "${tap}" oifname "${service}" ip6 saddr ${identityPrefix[6]} drop`,
    `iifname vmap @${egressMap}`,
    `iifname "${tap}" drop`,
  )
  const toTaps = [...answerRules, `oifname vmap @${ingressMap}`, `oifname "${tap}" drop`]
  table.chain('judge_ingress', hook('forward', -19)).rule(...toTaps)
  table.chain('judge_own', hook('output', -19)).rule(...toTaps)
  // What becomes of a packet behind the bridge is not for our marks to say.
  table.chain('forget', hook('forward', -18)).rule(`meta mark & ${marks.mask} != 0x0 meta mark set meta mark & ${marks.others}`)
  // The host's own addresses are not on our bridges, and it is nobody's router.
  const inside = [tap, vxlan, service, routerInside]
  table.chain('host', hook('input', beforeTracking)).rule(...inside.map((pattern) => `iifname "${pattern}" drop`))
}

function addFromGuests(table: TableBuilder): void {
  table.chain(fromGuestsChain).rule(
    'ether type arp accept',
    // Only the network's own service and its routers say who has which address and where the way out is.
    'udp sport { 67, 547 } drop',
    // Clients take answers from whatever port they come.
    'udp dport { 68, 546 } drop',
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
    'ether type ip udp sport 68 udp dport 67 accept',
    'ether type ip6 udp sport 546 udp dport 547 accept',
    'icmpv6 type { 131, 132, 133, 135, 143 } accept',
    `oifname "${service}" ip daddr ${metadataAddress} tcp dport 80 accept`,
    `oifname "${service}" ip6 daddr ${metadataAddress6} tcp dport 80 accept`,
  )
}

function addToGuests(table: TableBuilder): void {
  table
    .chain(toGuestsChain)
    .rule(
      'ether type arp accept',
      'icmpv6 type { 130, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept',
      `iifname "${service}" udp sport { 53, 67, 547 } accept`,
      `iifname "${service}" tcp sport 53 accept`,
    )
}
