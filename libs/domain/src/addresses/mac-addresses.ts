import type { Random } from '@nubo/kernel'
import type { Address } from './addresses.js'
import type { Prefix } from './prefixes.js'

/** Neutron's own vendor prefix (neutron/conf/common.py, base_mac): locally administered, so that it is no maker's. */
const vendor = 'fa:16:3e'

export function newMac(random: Random): string {
  return `${vendor}:${inPairs(random.bytes(3).toString('hex'))}`
}

const macForms = [
  /^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$/,
  /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/,
  /^[0-9a-f]{6}-?[0-9a-f]{6}$/,
]

/** Lower case, with colons; undefined for what is no MAC. The usual ways of writing one are understood. */
export function canonicalMac(text: string): string | undefined {
  const lower = text.toLowerCase()
  if (!macForms.some((form) => form.test(lower))) return undefined
  const groups = lower.split(/[:.-]/)
  const digits = groups.length === 6 ? groups.map((group) => group.padStart(2, '0')).join('') : groups.join('')
  return inPairs(digits)
}

function inPairs(digits: string): string {
  return digits.match(/../g)!.join(':')
}

const interfaceBits = 64n

/** The address that a guest with this MAC gives itself in a /64 (RFC 4291, appendix A). */
export function eui64Address(prefix: Prefix, mac: string): Address {
  const digits = mac.replaceAll(':', '')
  const expanded = BigInt(`0x${digits.slice(0, 6)}fffe${digits.slice(6)}`)
  const universal = 1n << 57n
  return { family: 6, value: ((prefix.first >> interfaceBits) << interfaceBits) | (expanded ^ universal) }
}
