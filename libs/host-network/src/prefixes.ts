import { assert } from '@nubo/kernel'
import { isIPv4, isIPv6 } from 'node:net'
import { canonical, familyOf } from './addresses.js'

/** An address or prefix, as a number: what prefixes are compared by. */
export interface Prefix {
  family: 4 | 6
  /** Its first address. */
  first: bigint
  length: number
}

const bitsOf = { 4: 32, 6: 128 } as const

/** `10.0.0.7/24` is `10.0.0.0/24`; an address is the prefix of itself. */
export function parsePrefix(text: string): Prefix {
  const [address = '', written] = text.split('/')
  const family = familyOf(address)
  const length = written === undefined ? bitsOf[family] : Number(written)
  assert(Number.isInteger(length) && length >= 0 && length <= bitsOf[family], `${text} is a prefix`)
  const hostBits = BigInt(bitsOf[family] - length)
  return { family, first: (addressNumber(address) >> hostBits) << hostBits, length }
}

export function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  assert(isIPv6(address), `${address} is an address`)
  const [head = '', tail] = withoutDots(address).split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const zeroes = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeroes, ...after].reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n)
}

/** `::ffff:10.0.0.1` as `::ffff:0a00:0001`. */
function withoutDots(address: string): string {
  const [ipv4] = /[0-9.]+$/.exec(address) ?? ['']
  if (!isIPv4(ipv4)) return address
  const digits = addressNumber(ipv4).toString(16).padStart(8, '0')
  return `${address.slice(0, -ipv4.length)}${digits.slice(0, 4)}:${digits.slice(4)}`
}

export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false
  const hostBits = BigInt(bitsOf[outer.family] - outer.length)
  return outer.first >> hostBits === inner.first >> hostBits
}

export function isSamePrefix(a: string, b: string): boolean {
  const [one, other] = [parsePrefix(a), parsePrefix(b)]
  return one.family === other.family && one.first === other.first && one.length === other.length
}

/** Whether the address is the one of all in the prefix: the last one, where IPv4 has one. */
export function isBroadcastOf(prefix: string, address: string): boolean {
  const { family, first, length } = parsePrefix(prefix)
  if (family !== 4 || familyOf(address) !== 4 || length > 30) return false
  return addressNumber(address) === first + (1n << BigInt(bitsOf[4] - length)) - 1n
}

/** Those that no other one covers, each once and as nft lists them: what an interval set takes. */
export function disjoint(prefixes: readonly string[]): string[] {
  const kept = new Map<string, string>()
  const lengths = new Set<number>()
  const parsed = [...new Set(prefixes)].map(parsePrefix)
  for (const prefix of parsed.toSorted((a, b) => a.length - b.length)) {
    const isCovered = [...lengths].some((length) => kept.has(cut(prefix, length)))
    if (isCovered) continue
    lengths.add(prefix.length)
    kept.set(cut(prefix, prefix.length), textOf(prefix))
  }
  return [...kept.values()]
}

function cut({ family, first }: Prefix, length: number): string {
  return `${family} ${length} ${first >> BigInt(bitsOf[family] - length)}`
}

/** As nft lists it. */
function textOf({ family, first, length }: Prefix): string {
  const address = family === 4 ? ipv4Text(first) : canonical(ipv6Text(first))
  return length === bitsOf[family] ? address : `${address}/${length}`
}

const ipv4Text = (number: bigint) => [24n, 16n, 8n, 0n].map((bits) => (number >> bits) & 255n).join('.')
const ipv6Text = (number: bigint) => number.toString(16).padStart(32, '0').match(/.{4}/g)!.join(':')
