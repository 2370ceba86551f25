import type { TableBuilder } from '../engine/piece.js'
import { callRules } from '../metadata/callers.js'
import type { PortPlan } from '../plan.js'
import { guardChain } from './chain-names.js'
import { macsOf, sourcesOf, type Source } from './sources.js'

/** Looked at before the bridge learns where a MAC is, and before tracking. */
const knownEthertypesChain = 'known_ethertypes'
const noAddressChain = 'no_address'

/** What all guarded ports have in common. */
export function addCommonGuard(table: TableBuilder): void {
  // The inner protocol of a tagged frame is what `ip` and `ip6` match, so what is tagged is dropped by its ethertype first.
  table.chain(knownEthertypesChain).rule('ether type != { ip, ip6, arp } drop')
  // Multicast reports, whether anybody has the address, and which routers there are.
  table.chain(noAddressChain).rule('icmpv6 type { 131, 132, 133, 135, 143 } accept', 'drop')
}

/**
 * Lets frames pass that say who the port is, and no others.
 * @param requests the chain of its network's calls of the metadata service.
 */
export function addGuard(table: TableBuilder, port: PortPlan, requests: string | undefined): void {
  const sources = sourcesOf(port)
  const macs = macsOf(sources)
  const chain = table.chain(guardChain(port.portId), undefined, 'shut')
  chain.rule(`jump ${knownEthertypesChain}`, ...new Set(macs.flatMap((mac) => callRules(requests, mac))))
  for (const source of sources) chain.rule(...sourceRules(source))
  for (const mac of macs) chain.rule(...beforeAddressRules(mac))
  chain.rule('drop')
}

function sourceRules({ mac, prefix, family }: Source): string[] {
  if (family === 6) return [`ether saddr ${mac} ip6 saddr ${prefix} accept`]
  return [
    `ether saddr ${mac} ip saddr ${prefix} accept`,
    `ether saddr ${mac} arp saddr ether ${mac} arp saddr ip ${prefix} accept`,
  ]
}

/** What a guest sends while it has no address yet: it asks for one, or whether anybody has it. */
function beforeAddressRules(mac: string): string[] {
  return [
    `ether saddr ${mac} arp operation request arp saddr ether ${mac} arp saddr ip 0.0.0.0 accept`,
    `ether saddr ${mac} ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept`,
    `ether saddr ${mac} ip6 saddr :: goto ${noAddressChain}`,
  ]
}
