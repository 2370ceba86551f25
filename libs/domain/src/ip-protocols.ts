/** The names of IP protocols that Neutron's security group rules take (neutron-lib, constants.IP_PROTOCOL_MAP), by IANA's numbers. */
const numbers: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
}

export const icmpv6 = 58
export const icmp = 1

/** In the order of the alphabet. */
export const protocolNames: readonly string[] = Object.keys(numbers)

/**
 * The number of a protocol as a rule names it: by name or number. In a rule of IPv6 `icmp` means ICMPv6, as Neutron has it.
 * Undefined for what is no protocol.
 */
export function protocolNumber(protocol: string, ethertype: 'IPv4' | 'IPv6'): number | undefined {
  const name = protocol.toLowerCase()
  const number = /^\d{1,3}$/.test(name) ? Number(name) : numbers[name]
  if (number === undefined || number > 255) return undefined
  return ethertype === 'IPv6' && number === icmp ? icmpv6 : number
}
