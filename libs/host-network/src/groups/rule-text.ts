import type { RulePlan } from '../plan.js'
import { membersSet } from './chain-names.js'

/** IANA's numbers of the protocols that have ports, with nft's names of them. */
const withPorts: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udplite' }
const icmp = 1
const icmpv6 = 58

/** A rule in nft's words. What it lets through is accepted; the port's chain drops what no rule accepts. */
export function ruleText(rule: RulePlan): string {
  return [familyMatch(rule), ...remoteMatch(rule), ...protocolMatch(rule), 'accept'].join(' ')
}

const familyMatch = ({ ethertype }: RulePlan) => (ethertype === 'IPv4' ? 'ether type ip' : 'ether type ip6')

/** Who is at the other end: the source of what comes in, the destination of what goes out. */
function remoteMatch({ direction, ethertype, remotePrefix, remoteGroup }: RulePlan): string[] {
  const field = `${ethertype === 'IPv4' ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'}`
  return [
    ...(remotePrefix === null ? [] : [`${field} ${remotePrefix}`]),
    ...(remoteGroup === null ? [] : [`${field} @${membersSet(ethertype === 'IPv4' ? 4 : 6, remoteGroup)}`]),
  ]
}

function protocolMatch(rule: RulePlan): string[] {
  const protocol = protocolOf(rule)
  if (protocol === null) return []
  if (protocol === icmp) return icmpMatch('icmp', rule)
  if (protocol === icmpv6) return icmpMatch('icmpv6', rule)
  const name = withPorts[protocol]
  const { portMin, portMax } = rule
  if (name === undefined || (portMin === null && portMax === null)) return [`meta l4proto ${protocol}`]
  return [`${name} dport ${range(portMin ?? 0, portMax ?? 65_535)}`]
}

/** Neutron takes `icmp` in an IPv6 rule for ICMPv6. */
export const protocolOf = ({ ethertype, protocol }: Pick<RulePlan, 'ethertype' | 'protocol'>) =>
  ethertype === 'IPv6' && protocol === icmp ? icmpv6 : protocol

function icmpMatch(name: 'icmp' | 'icmpv6', { portMin: type, portMax: code }: RulePlan): string[] {
  if (type === null) return [`meta l4proto ${name === 'icmp' ? icmp : icmpv6}`]
  return [`${name} type ${type}`, ...(code === null ? [] : [`${name} code ${code}`])]
}

const range = (from: number, to: number) => (from === to ? String(from) : `${from}-${to}`)
