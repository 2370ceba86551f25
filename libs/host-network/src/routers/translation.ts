import { familyOf } from '../addresses.js'
import type { Piece, TableBuilder } from '../engine/piece.js'
import type { Hook } from '../engine/tables.js'
import { insideRouter, routerNamespace } from '../names.js'
import type { RouterPlan } from '../plan.js'

const floatingToFixed = 'floating_to_fixed'
const fixedToFloating = 'fixed_to_floating'
const outside = insideRouter.gateway
/** On packets that came from one of the router's own networks: nothing else uses marks in its namespace. */
const fromInside = '0x1'

const at = (type: Hook['type'], hook: Hook['hook'], priority: number, policy: Hook['policy'] = 'accept'): Hook => ({
  ...{ type, hook, priority, policy },
})

/** The router's own address for what leaves it; undefined where addresses stay as they are. */
export function snatAddressOf({ gateway }: RouterPlan): string | undefined {
  if (!gateway?.snat) return undefined
  return gateway.addresses.map((address) => address.split('/')[0]!).find((address) => familyOf(address) === 4)
}

/** Floating addresses and the router's own: what stands for whom, and who may begin a conversation. */
export function translate(piece: Piece, router: RouterPlan): void {
  const namespace = routerNamespace(router.routerId)
  addTranslation(piece.table(namespace, 'ip', 'nubo'), router)
  addFilter(piece.table(namespace, 'inet', 'nubo_filter'), router)
  for (const { address } of router.gateway ? router.floatingIps : []) {
    // Without a prefix of its own: it is answered for, and nothing is sent from it.
    piece.address({ namespace, link: outside, address: `${address}/32` })
  }
}

function addTranslation(table: TableBuilder, router: RouterPlan): void {
  const toFixed = table.set(floatingToFixed, { type: 'ipv4_addr', data: 'ipv4_addr' })
  const toFloating = table.set(fixedToFloating, { type: 'ipv4_addr', data: 'ipv4_addr' })
  for (const { address, fixedAddress } of router.floatingIps) {
    toFixed.element(address, fixedAddress)
    toFloating.element(fixedAddress, address)
  }
  table.chain('from_inside', at('filter', 'prerouting', -150)).rule(`iifname != "${outside}" meta mark set ${fromInside}`)
  table.chain('arrive', at('nat', 'prerouting', -100)).rule(`dnat to ip daddr map @${floatingToFixed}`)
  const own = snatAddressOf(router)
  const leaving = table.chain('leave', at('nat', 'postrouting', 100))
  leaving.rule(`oifname "${outside}" snat to ip saddr map @${fixedToFloating}`)
  if (own !== undefined) leaving.rule(`oifname "${outside}" meta mark ${fromInside} snat to ${own}`)
  // Two guests of one router, by a floating address: the answer must come back this way.
  leaving.rule(`meta mark ${fromInside} ct status dnat snat to ip saddr map @${fixedToFloating}`)
  if (own !== undefined) leaving.rule(`meta mark ${fromInside} ct status dnat snat to ${own}`)
}

function addFilter(table: TableBuilder, router: RouterPlan): void {
  const forward = table.chain('forward', at('filter', 'forward', 0))
  if (snatAddressOf(router) !== undefined) {
    // Behind a translating router nobody is addressed but by a floating address, and no address of the inside is shown.
    forward.rule(`iifname "${outside}" meta nfproto ipv4 ct state new ct status & dnat != dnat drop`)
    forward.rule(`oifname "${outside}" meta nfproto ipv4 ct state invalid drop`)
  }
  table
    .chain('host', at('filter', 'input', 0, 'drop'))
    .rule('iifname "lo" accept', 'meta l4proto { icmp, icmpv6 } accept', 'ct state established,related accept')
}
