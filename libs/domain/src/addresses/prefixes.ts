import { addressBits, parseAddress, printAddress, type Address, type Family } from './addresses.js'

/** A block of addresses, such as 10.0.0.0/24: from `first`, all whose leading `length` bits are the same. */
export interface Prefix {
  family: Family
  first: bigint
  length: number
}

/**
 * An address with the length of its prefix. What lies right of the prefix is put to zero; a bare address is a prefix of its own.
 * A length is written in one way: not everybody who is told of it takes `08`.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const [host, bits, ...more] = text.split('/')
  const address = parseAddress(host!)
  if (!address || more.length > 0) return undefined
  const most = addressBits[address.family]
  const length = bits === undefined ? most : /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) : Infinity
  return length <= most ? prefixAround(address, length) : undefined
}

export function prefixAround({ family, value }: Address, length: number): Prefix {
  const free = BigInt(addressBits[family] - length)
  return { family, first: (value >> free) << free, length }
}

export function printPrefix({ family, first, length }: Prefix): string {
  return `${printAddress({ family, value: first })}/${length}`
}

export function prefixSize({ family, length }: Prefix): bigint {
  return 1n << BigInt(addressBits[family] - length)
}

export function lastOfPrefix(prefix: Prefix): bigint {
  return prefix.first + prefixSize(prefix) - 1n
}

export function prefixContains(prefix: Prefix, { family, value }: Address): boolean {
  return family === prefix.family && value >= prefix.first && value <= lastOfPrefix(prefix)
}

export function prefixesOverlap(left: Prefix, right: Prefix): boolean {
  return left.family === right.family && left.first <= lastOfPrefix(right) && right.first <= lastOfPrefix(left)
}

/**
 * Whether a port may have this address of a subnet: never IPv4's network and broadcast addresses; IPv6's first address, which
 * is its routers' anycast, for routers alone (neutron/ipam/utils.py, check_subnet_ip).
 */
export function isUsableIn(prefix: Prefix, address: Address, forRouter: boolean): boolean {
  if (!prefixContains(prefix, address)) return false
  if (prefix.family === 4) return address.value !== prefix.first && address.value !== lastOfPrefix(prefix)
  return forRouter || address.value !== prefix.first
}
