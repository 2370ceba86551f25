import { assert, seededRandom, type Random } from '@nubo/kernel'
import type { Candidate, Decision, Refusal } from './decision.js'
import { defaultFilters, type Filter } from './filters.js'
import { roomLeft } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import type { PlacementSnapshot } from './placement-snapshot.js'
import { pickBest } from './pick-best.js'
import type { Sieve, Test } from './sieve.js'
import { addScores, bestValue, defaultWeighers, scoreOf, type Weigher, type WeigherName } from './weighers.js'

export interface RankOptions {
  /** Decides among near-equals. */
  random: Random
  /** How much each weigher counts; 1 if not given, less than 0 turns its preference round. */
  multipliers?: Partial<Record<WeigherName, number>>
  /**
   * Scores this close to one another are taken in random order, so that schedulers that run at once do not all claim
   * the same host. 0 leaves only equals to chance.
   */
  nearEqual?: number
  /** How many candidates the decision lists: at least one. */
  keep?: number
  filters?: readonly Filter[]
  weighers?: readonly Weigher[]
}

interface Weighing {
  weigher: Weigher
  multiplier: number
  column: Float64Array
  best: number
}

/**
 * Says which hosts can take the server, best first, and why the others cannot. It changes nothing and remembers nothing,
 * so a what-if is this same call. Whoever claims a candidate's room calls `takeOff` before the next decision.
 */
export function rank(hosts: PlacementSnapshot, request: PlacementRequest, options: RankOptions): Decision {
  assert(Math.min(request.vcpus, request.memoryMiB, request.diskGiB) >= 0, 'a server takes whole units of a host, or none')
  const sieve = hosts.sieveOfAll()
  const refusals = refuse(hosts, request, options.filters ?? defaultFilters, sieve)
  const weighings = weigh(hosts, sieve, options)
  const scores = scoreAll(weighings, sieve)
  const best = pickBest(scores, options.nearEqual ?? 0.01, options.keep ?? 20, fastRandom(options.random))
  return {
    version: 1,
    request,
    hostCount: hosts.size,
    acceptedCount: sieve.count,
    refusals,
    candidates: best.map((position) => candidate(hosts, sieve.rows[position]!, scores[position]!, weighings)),
  }
}

/** Puts the hosts through the filters, leaves in `sieve` those that passed, and counts those that did not. */
function refuse(hosts: PlacementSnapshot, request: PlacementRequest, filters: readonly Filter[], sieve: Sieve): Refusal[] {
  const refusals: Refusal[] = []
  for (const filter of filters) {
    const test = filter.test(hosts, request)
    if (test === undefined) continue
    const before = sieve.count
    sieve.apply(test)
    if (sieve.count === before) continue
    refusals.push(refusal(hosts, request, filter, test, before - sieve.count, sieve.nearestRow))
  }
  return refusals
}

function refusal(
  hosts: PlacementSnapshot,
  request: PlacementRequest,
  filter: Filter,
  test: Test,
  count: number,
  nearestRow: number,
): Refusal {
  const host = hosts.hostAt(nearestRow)
  const nearest: Refusal['nearest'] = { hostId: host.hostId, name: host.name }
  const detail = filter.detail?.(host, request)
  if (detail !== undefined) nearest.detail = detail
  if (test.kind !== 'atLeast') return { rule: filter.rule, count, nearest }
  nearest.has = test.column[nearestRow]!
  return { rule: filter.rule, count, needed: test.needed, nearest }
}

/** What each weigher measures the accepted hosts by; none if none was accepted. */
function weigh(hosts: PlacementSnapshot, sieve: Sieve, options: RankOptions): Weighing[] {
  if (sieve.count === 0) return []
  return (options.weighers ?? defaultWeighers).map((weigher) => {
    const column = weigher.column(hosts)
    const multiplier = options.multipliers?.[weigher.name] ?? 1
    return { weigher, multiplier, column, best: bestValue(weigher, column, sieve.rows, sieve.count) }
  })
}

/** The weighed mean of each accepted host's scores, in the order of `sieve.rows`. */
function scoreAll(weighings: readonly Weighing[], sieve: Sieve): Float64Array {
  const scores = new Float64Array(sieve.count)
  const whole = weighings.reduce((sum, { multiplier }) => sum + Math.abs(multiplier), 0)
  for (const { weigher, multiplier, column, best } of weighings) {
    if (multiplier !== 0) addScores(weigher, multiplier / whole, column, best, sieve.rows, scores)
  }
  return scores
}

function candidate(hosts: PlacementSnapshot, row: number, score: number, weighings: readonly Weighing[]): Candidate {
  const host = hosts.hostAt(row)
  const scores: Candidate['scores'] = {}
  for (const { weigher, column, best } of weighings) scores[weigher.name] = rounded(scoreOf(weigher, column[row]!, best))
  return {
    hostId: host.hostId,
    name: host.name,
    fencingEpoch: host.fencingEpoch,
    score: rounded(score),
    scores,
    room: roomLeft(host),
    serverCount: host.serverCount,
  }
}

/** Four digits say all that a person compares. */
function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000
}

/** One draw from the source of chance for a whole decision: a draw for each of ten thousand hosts would cost more than the rest. */
function fastRandom(random: Random): Random {
  return seededRandom(random.bytes(4).readUInt32LE())
}
