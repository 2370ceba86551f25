import { addressNumber } from '../prefixes.js'

/** Frames, byte by byte: what a guest that means harm may send too. */
export interface Ethernet {
  from: string
  to: string
}

const hexOf = (number: number | bigint, bytes: number) => number.toString(16).padStart(bytes * 2, '0')
const macHex = (mac: string) => mac.replaceAll(':', '')
const addressHex = (address: string) => hexOf(addressNumber(address), address.includes(':') ? 16 : 4)

export const broadcast = 'ff:ff:ff:ff:ff:ff'

export function frame({ from, to }: Ethernet, ethertype: number, payload: string): string {
  return macHex(to) + macHex(from) + hexOf(ethertype, 2) + payload
}

/** The same frame in a VLAN. */
export const tagged = (untagged: string, vlan: number) => `${untagged.slice(0, 24)}8100${hexOf(vlan, 2)}${untagged.slice(24)}`

export interface Arp {
  operation: 'request' | 'reply'
  sender: { mac: string; address: string }
  target: { mac: string; address: string }
}

export function arp(ethernet: Ethernet, { operation, sender, target }: Arp): string {
  const ends = [sender, target].map(({ mac, address }) => macHex(mac) + addressHex(address)).join('')
  return frame(ethernet, 0x0806, `00010800060400${operation === 'request' ? '01' : '02'}${ends}`)
}

interface Ends {
  from: string
  to: string
}

export function ip(ethernet: Ethernet, ends: Ends, protocol: number, payload: (pseudoHeader: string) => string): string {
  const isIpv6 = ends.from.includes(':')
  const addresses = addressHex(ends.from) + addressHex(ends.to)
  const inner = (length: number) => payload(addresses + (isIpv6 ? hexOf(length, 4) : '') + hexOf(protocol, isIpv6 ? 4 : 2))
  const body = inner(inner(0).length / 2)
  return isIpv6
    ? frame(ethernet, 0x86dd, `60000000${hexOf(body.length / 2, 2)}${hexOf(protocol, 1)}ff${addresses}${body}`)
    : frame(ethernet, 0x0800, ipv4Header(addresses, protocol, body.length / 2) + body)
}

function ipv4Header(addresses: string, protocol: number, length: number): string {
  const before = `4500${hexOf(length + 20, 2)}00000000ff${hexOf(protocol, 1)}`
  return before + checksum(`${before}0000${addresses}`) + addresses
}

const withChecksum = (pseudoHeader: string, before: string, after: string) =>
  before + checksum(`${pseudoHeader}${before}0000${after}`) + after

export interface Ports {
  source: number
  destination: number
}

const portsHex = ({ source, destination }: Ports) => hexOf(source, 2) + hexOf(destination, 2)

export function udp(ethernet: Ethernet, ends: Ends, ports: Ports, data = ''): string {
  const length = hexOf(8 + data.length / 2, 2)
  const ofIpv4 = (pseudo: string) => (ends.from.includes(':') ? pseudo : pseudo + length)
  return ip(ethernet, ends, 17, (pseudo) => withChecksum(ofIpv4(pseudo), portsHex(ports) + length, data))
}

/** What a client of DHCP says that it is (RFC 2131, 2), in what it asks or gives back. */
export const leaseOf = (mac: string) => `01010600${'00'.repeat(24)}${macHex(mac)}${'00'.repeat(10)}`

const flagBits = { syn: 0x02, synAck: 0x12, ack: 0x10, rst: 0x04 } as const

export function tcp(
  ethernet: Ethernet,
  ends: Ends,
  ports: Ports,
  flags: keyof typeof flagBits,
  [sequence, acknowledged] = [1, 1],
): string {
  const before = `${portsHex(ports)}${hexOf(sequence, 4)}${hexOf(acknowledged, 4)}50${hexOf(flagBits[flags], 1)}ffff`
  const ofIpv4 = (pseudo: string) => (ends.from.includes(':') ? pseudo : `${pseudo}0014`)
  return ip(ethernet, ends, 6, (pseudo) => withChecksum(ofIpv4(pseudo), before, '0000'))
}

export function icmp(ethernet: Ethernet, ends: Ends, type: number, code: number, rest: string): string {
  const isIpv6 = ends.from.includes(':')
  return ip(ethernet, ends, isIpv6 ? 58 : 1, (pseudo) =>
    withChecksum(isIpv6 ? pseudo : '', hexOf(type, 1) + hexOf(code, 1), rest),
  )
}

export const echo = (ethernet: Ethernet, ends: Ends, kind: 'request' | 'reply', id = 7) => {
  const [request, reply] = ends.from.includes(':') ? [128, 129] : [8, 0]
  return icmp(ethernet, ends, kind === 'request' ? request : reply, 0, `${hexOf(id, 2)}0001`)
}

/** A neighbour advertisement: that the MAC has the target (RFC 4861, 4.4). */
export const advertisement = (ethernet: Ethernet, ends: Ends, target: string, mac: string) =>
  icmp(ethernet, ends, 136, 0, `20000000${addressHex(target)}0201${macHex(mac)}`)

export const solicitation = (ethernet: Ethernet, ends: Ends, target: string) =>
  icmp(ethernet, ends, 135, 0, `00000000${addressHex(target)}0101${macHex(ethernet.from)}`)

export const routerSolicitation = (ethernet: Ethernet, ends: Ends) => icmp(ethernet, ends, 133, 0, '00000000')

export const routerAdvertisement = (ethernet: Ethernet, ends: Ends) => icmp(ethernet, ends, 134, 0, '40000708000000000000000000')

/** RFC 1071. */
function checksum(hex: string): string {
  const words = (hex.length % 4 === 0 ? hex : `${hex}00`).match(/.{4}/g) ?? []
  let sum = words.reduce((total, word) => total + Number.parseInt(word, 16), 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_00_00)
  return hexOf(~sum & 0xffff, 2)
}
