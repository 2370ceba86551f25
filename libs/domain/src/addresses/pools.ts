import { parseAddress, printAddress, type Address, type Family } from './addresses.js'
import { lastOfPrefix, type Prefix } from './prefixes.js'

/** Addresses from `first` to `last`, both of them included. */
export interface Pool {
  family: Family
  first: bigint
  last: bigint
}

/** As subnets keep their pools. */
export interface PoolText {
  start: string
  end: string
}

/** Undefined where an end is no address, both are not of one family, or they are the wrong way round. */
export function parsePool({ start, end }: PoolText): Pool | undefined {
  const first = parseAddress(start)
  const last = parseAddress(end)
  if (!first || !last || first.family !== last.family || first.value > last.value) return undefined
  return { family: first.family, first: first.value, last: last.value }
}

export function printPool({ family, first, last }: Pool): PoolText {
  return { start: printAddress({ family, value: first }), end: printAddress({ family, value: last }) }
}

/** What a subnet gives out where nothing is said: all but its ends and its gateway (neutron/ipam/utils.py, generate_pools). */
export function defaultPools(prefix: Prefix, gateway: Address | undefined): Pool[] {
  const { family } = prefix
  const whole = { family, first: prefix.first, last: lastOfPrefix(prefix) }
  if (whole.first === whole.last) return [whole]
  const hasNetworkAddress = family === 6 || prefix.length <= 30
  const hasBroadcast = family === 4 && prefix.length <= 30
  const usable = {
    family,
    first: hasNetworkAddress ? whole.first + 1n : whole.first,
    last: hasBroadcast ? whole.last - 1n : whole.last,
  }
  return gateway?.family === family ? without(usable, gateway.value) : [usable]
}

function without(pool: Pool, value: bigint): Pool[] {
  if (value < pool.first || value > pool.last) return [pool]
  const parts = [
    { ...pool, last: value - 1n },
    { ...pool, first: value + 1n },
  ]
  return parts.filter(({ first, last }) => first <= last)
}

export function isInPools(pools: readonly Pool[], { family, value }: Address): boolean {
  return pools.some((pool) => pool.family === family && value >= pool.first && value <= pool.last)
}

/** How many addresses the pools hold together. */
export function poolSize(pools: readonly Pool[]): bigint {
  return pools.reduce((sum, { first, last }) => sum + (last - first + 1n), 0n)
}

/** A run of addresses. */
export interface Run {
  first: string
  count: number
}

/**
 * `count` addresses of the pools from their `start`th on, and after the last address from the first again: as runs, because
 * pools may be larger than what can be listed.
 */
export function runsFrom(pools: readonly Pool[], start: bigint, count: number): Run[] {
  const size = poolSize(pools)
  const until = start + BigInt(count) < start + size ? start + BigInt(count) : start + size
  return [...slice(pools, start, until), ...slice(pools, start - size, until - size)]
}

/** Of the pools one after another, the addresses from the `from`th to before the `to`th. */
function slice(pools: readonly Pool[], from: bigint, to: bigint): Run[] {
  const runs: Run[] = []
  let passed = 0n
  for (const { family, first, last } of pools) {
    const size = last - first + 1n
    const begin = from > passed ? from - passed : 0n
    const end = to - passed < size ? to - passed : size
    if (begin < end) runs.push({ first: printAddress({ family, value: first + begin }), count: Number(end - begin) })
    passed += size
  }
  return runs
}
