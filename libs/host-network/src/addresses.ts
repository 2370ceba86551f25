import { BlockList, isIPv6 } from 'node:net'
import type { SubnetPlan } from './plan.js'

export const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4)
export const prefixLengthOf = (cidr: string) => Number(cidr.split('/')[1])

export function isWithin(address: string, cidr: string): boolean {
  const family = familyOf(cidr)
  if (familyOf(address) !== family) return false
  if (family === 4) return isWithin4(address, cidr)
  const list = new BlockList()
  list.addSubnet(cidr.split('/')[0]!, prefixLengthOf(cidr), 'ipv6')
  return list.check(address, 'ipv6')
}

/** It is asked for each address of a host. */
function isWithin4(address: string, cidr: string): boolean {
  const size = 2 ** (32 - prefixLengthOf(cidr))
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(cidr.split('/')[0]!) / size)
}

const numberOf = (address: string) => address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)

export function subnetOf<S extends Pick<SubnetPlan, 'cidr'>>(address: string, subnets: readonly S[]): S | undefined {
  return subnets.find(({ cidr }) => isWithin(address, cidr))
}

/** The interface's part of an address that follows from a MAC (RFC 4291, appendix A), in the words of the last 64 bits. */
function interfaceIdOf(mac: string): string[] {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16))
  const [a, b, c, d, e, f] = [bytes[0]! ^ 2, ...bytes.slice(1)] as [number, number, number, number, number, number]
  return [(a << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f].map((word) => word.toString(16))
}

/** The address that a MAC has on each link, in canonical words: of those that follow `::` only the first may be 0. */
export function linkLocalOf(mac: string): string {
  const [first, ...others] = interfaceIdOf(mac)
  return `fe80::${first === '0' ? '' : `${first}:`}${others.join(':')}`
}

/** The address that a MAC gives itself in a prefix of 64 bits. */
export function slaacAddressOf(mac: string, cidr: string): string {
  const words = expanded(cidr.split('/')[0]!).slice(0, 4)
  return canonical([...words, ...interfaceIdOf(mac)].join(':'))
}

function expanded(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const words = (text: string | undefined) => (text ? text.split(':') : [])
  const missing = tail === undefined ? 0 : 8 - words(head).length - words(tail).length
  return [...words(head), ...Array.from({ length: missing }, () => '0'), ...words(tail)]
}

/** As the kernel writes it (RFC 5952): a URL's host is written so. */
export function canonical(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address
}
