import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Family = 4 | 6

/** An address as a number: what ranges are counted in. */
export interface Address {
  family: Family
  value: bigint
}

export const addressBits: Readonly<Record<Family, number>> = { 4: 32, 6: 128 }

/** Undefined for what is no address. Neither forms such as `10.1` are taken, nor octal numbers, nor zones (`fe80::1%eth0`). */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: valueOf(ipaddr.IPv4.parse(text).toByteArray()) }
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: valueOf(ipaddr.IPv6.parse(text).toByteArray()) }
  return undefined
}

/** Dotted, or as RFC 5952 has it: one address has one text. */
export function printAddress({ family, value }: Address): string {
  if (family === 4) return new ipaddr.IPv4(bytesOf(value, 4)).toString()
  return new ipaddr.IPv6(bytesOf(value, 16)).toRFC5952String()
}

/** The one text of an address that was written in any way; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text)
  return address && printAddress(address)
}

export function sameAddress(left: Address, right: Address): boolean {
  return left.family === right.family && left.value === right.value
}

export function isMulticast({ family, value }: Address): boolean {
  return family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn
}

function valueOf(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function bytesOf(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Number((value >> BigInt(8 * (count - 1 - index))) & 0xffn))
}
