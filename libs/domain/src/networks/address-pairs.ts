import { canonicalMac, isMulticast, parsePrefix } from '../addresses/index.js'
import { networkError } from './network-error.js'
import { words } from './words.js'

/** Whose frames a port may send beside its own: from this address or prefix, with this MAC or with the port's own. */
export interface AddressPair {
  ip_address: string
  mac_address?: string
}

const mostPairs = 10

const refuse = (type: string, message: string) => networkError('Invalid', type, message)
const notValid = (value: unknown, what: string) => refuse('HTTPBadRequest', `'${words(value)}' is not a valid ${what}`)

/** Throws Invalid as Neutron does (neutron_lib/api/validators/allowedaddresspairs.py). */
export function readAddressPairs(value: unknown): AddressPair[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw refuse('HTTPBadRequest', 'Allowed address pairs must be a list.')
  if (value.length > mostPairs)
    throw refuse('AllowedAddressPairExhausted', `The number of allowed address pair exceeds the maximum ${mostPairs}.`)
  const pairs = value.map(readPair)
  const seen = new Set<string>()
  for (const pair of pairs) {
    if (seen.has(JSON.stringify(pair)))
      throw refuse(
        'DuplicateAddressPairInRequest',
        `Request contains duplicate address pair: mac_address ${pair.mac_address ?? null} ip_address ${pair.ip_address}.`,
      )
    seen.add(JSON.stringify(pair))
  }
  return pairs
}

function readPair(value: unknown): AddressPair {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notValid(value, 'dictionary')
  const { ip_address: address, mac_address: mac, ...others } = value as Record<string, unknown>
  const unknown = Object.keys(others)
  if (unknown.length > 0) throw refuse('HTTPBadRequest', `Unrecognized attribute(s) '${unknown.join(', ')}'`)
  if (address === undefined) throw refuse('AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address')
  const pair = { ip_address: readTarget(address) }
  return mac === undefined || mac === null ? pair : { ...pair, mac_address: readSource(mac) }
}

function readTarget(value: unknown): string {
  const isText = typeof value === 'string'
  const isPrefix = isText && value.includes('/')
  const prefix = isText ? parsePrefix(value) : undefined
  if (!prefix) throw notValid(value, isPrefix ? 'IP subnet' : 'IP address')
  if (isMulticast({ family: prefix.family, value: prefix.first }))
    throw refuse('HTTPBadRequest', `'${words(value)}' is a multicast address`)
  return isPrefix ? value : (value as string).toLowerCase()
}

function readSource(value: unknown): string {
  const mac = typeof value === 'string' ? canonicalMac(value) : undefined
  if (mac === undefined) throw notValid(value, 'MAC address')
  const isForMany = Number.parseInt(mac.slice(0, 2), 16) % 2 === 1
  if (isForMany) throw refuse('HTTPBadRequest', `'${mac}' is a multicast MAC address`)
  return mac
}
