import type { PlacementSnapshot } from './placement-snapshot.js'

/** Names a weigher in configuration and in stored decisions. */
export type WeigherName = 'freeMemory' | 'spread'

/**
 * Orders the hosts that every filter accepts. A host's score is its share of the best of them, in (0, 1], and the best
 * has 1. A share, unlike a place between the worst and the best, is small where hosts differ little: hosts with 99 and
 * 100 servers are near-equal, hosts with none and one are not.
 */
export interface Weigher {
  readonly name: WeigherName
  readonly prefers: 'more' | 'less'
  readonly column: (hosts: PlacementSnapshot) => Float64Array
}

/** Prefers hosts with more memory left. */
export const freeMemory: Weigher = {
  name: 'freeMemory',
  prefers: 'more',
  column: (hosts) => hosts.freeMemoryMiB,
}

/** Prefers hosts with fewer servers, so that one host's end ends few. */
export const spread: Weigher = {
  name: 'spread',
  prefers: 'less',
  column: (hosts) => hosts.serverCount,
}

export const defaultWeighers: readonly Weigher[] = [freeMemory, spread]

/** The value that scores 1: the most, or the least, of the first `count` of `rows`. */
export function bestValue({ prefers }: Weigher, column: Float64Array, rows: Int32Array, count: number): number {
  const more = prefers === 'more'
  let best = column[rows[0]!]!
  for (let i = 1; i < count; i++) {
    const value = column[rows[i]!]!
    if (more ? value > best : value < best) best = value
  }
  return best
}

/** Adds to `scores` the share that this weigher has in the score of each of the first rows. */
export function addScores(
  { prefers }: Weigher,
  share: number,
  column: Float64Array,
  best: number,
  rows: Int32Array,
  scores: Float64Array,
): void {
  const count = scores.length
  if (prefers === 'more') {
    const unit = share / (best + 1)
    for (let i = 0; i < count; i++) scores[i]! += unit * (column[rows[i]!]! + 1)
  } else {
    const whole = share * (best + 1)
    for (let i = 0; i < count; i++) scores[i]! += whole / (column[rows[i]!]! + 1)
  }
}

/** The score of a value beside the best. One is added to both, so that nothing divides by none. */
export function scoreOf({ prefers }: Weigher, value: number, best: number): number {
  return prefers === 'more' ? (value + 1) / (best + 1) : (best + 1) / (value + 1)
}
