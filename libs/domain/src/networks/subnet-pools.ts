import {
  addressBits,
  lastOfPrefix,
  prefixesOverlap,
  prefixSize,
  printPrefix,
  type Family,
  type Prefix,
} from '../addresses/index.js'
import { networkError } from './network-error.js'

// What subnet pools may be and give, in the words of `neutron/ipam/subnet_alloc.py`.

export interface PrefixBounds {
  min: number
  max: number
  usual: number
}

const leastBits: Record<Family, number> = { 4: 8, 6: 64 }

/** Throws Invalid where the bounds contradict each other. */
export function prefixBounds(family: Family, named: Partial<PrefixBounds>): PrefixBounds {
  const min = named.min ?? leastBits[family]
  const max = named.max ?? addressBits[family]
  const usual = named.usual ?? min
  if (min > max) throw illegalBounds('min_prefixlen', min, 'max_prefixlen', max)
  if (max > addressBits[family]) throw illegalBounds('max_prefixlen', max, 'ip_version', family)
  if (usual > max) throw illegalBounds('default_prefixlen', usual, 'max_prefixlen', max)
  if (usual < min) throw illegalBounds('min_prefixlen', min, 'default_prefixlen', usual)
  return { min, max, usual }
}

const illegalBounds = (one: string, oneLength: number, other: string, otherLength: number) =>
  networkError('Invalid', 'IllegalSubnetPoolPrefixBounds', `Illegal prefix bounds: ${one}=${oneLength}, ${other}=${otherLength}.`)

/** The fewest prefixes that hold the same addresses: without what others hold, halves joined. */
export function compactPrefixes(prefixes: readonly Prefix[]): Prefix[] {
  const sorted = prefixes.toSorted((one, other) =>
    one.first === other.first ? one.length - other.length : one.first < other.first ? -1 : 1,
  )
  const compact: Prefix[] = []
  for (const prefix of sorted) {
    if (compact.some((each) => each.length <= prefix.length && prefixesOverlap(each, prefix))) continue
    compact.push(prefix)
    while (areHalves(compact.at(-2), compact.at(-1)!)) {
      const { family, first, length } = compact.splice(-2)[0]!
      compact.push({ family, first, length: length - 1 })
    }
  }
  return compact
}

function areHalves(left: Prefix | undefined, right: Prefix): boolean {
  if (!left || left.length !== right.length || lastOfPrefix(left) + 1n !== right.first) return false
  return left.first % (2n * prefixSize(left)) === 0n
}

/** The first prefix of that length in a pool of which nothing is taken; undefined where there is no room. */
export function firstFreePrefix(pool: readonly Prefix[], taken: readonly Prefix[], length: number): Prefix | undefined {
  for (const space of pool) {
    if (space.length > length) continue
    let candidate: Prefix = { family: space.family, first: space.first, length }
    while (candidate.first <= lastOfPrefix(space)) {
      const inTheWay = taken.find((each) => prefixesOverlap(each, candidate))
      if (!inTheWay) return candidate
      const behind = lastOfPrefix(inTheWay) > lastOfPrefix(candidate) ? lastOfPrefix(inTheWay) : lastOfPrefix(candidate)
      candidate = { ...candidate, first: behind + 1n }
    }
  }
  return undefined
}

/** How much of a project's quota in a pool a prefix takes: addresses of IPv4, /64s of IPv6. */
export function quotaUnits({ family, length }: Prefix): number {
  const smallest = family === 4 ? 32 : 64
  return length >= smallest ? 1 : 2 ** (smallest - length)
}

/** Throws Invalid for a length that the pool does not give. */
export function checkAllocatedLength(length: number, { min, max }: PrefixBounds): void {
  const refuse = (bound: 'Minimum' | 'Maximum', limit: number) =>
    networkError(
      'Invalid',
      `${bound.slice(0, 3)}PrefixSubnetAllocationError`,
      `Unable to allocate subnet with prefix length ${length}, ${bound.toLowerCase()} allowed prefix is ${limit}.`,
    )
  if (length < min) throw refuse('Minimum', min)
  if (length > max) throw refuse('Maximum', max)
}

export const noRoomInPool = (wanted: Prefix | number) =>
  networkError(
    'Conflict',
    'SubnetAllocationError',
    typeof wanted === 'number'
      ? `Failed to allocate subnet: Insufficient prefix space to allocate subnet size /${wanted}.`
      : `Failed to allocate subnet: Cannot allocate requested subnet ${printPrefix(wanted)} from the available set of prefixes.`,
  )
