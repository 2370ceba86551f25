import { pick, type Random } from '@nubo/kernel'
import type { Fault } from './faults/index.js'

/** One thing that will be done: what, to what, when after the beginning, and for how long. */
export interface PlannedFault {
  fault: Fault
  target: string
  atMs: number
  forMs: number
  /** Handed to the fault for what can be chosen only when it comes. */
  chance: number
}

export interface PlanOptions {
  random: Random
  faults: readonly Fault[]
  durationMs: number
  /** Between the beginnings of two faults, on average. */
  everyMs: number
  /** No fault lasts longer. */
  longestMs: number
}

/**
 * All that will be done in a run. It hangs on the seed alone, so the same seed does the same again. A target is
 * left in peace while an earlier fault is still at it; faults on different targets overlap.
 */
export function makePlan({ random, faults, durationMs, everyMs, longestMs }: PlanOptions): PlannedFault[] {
  const plan: PlannedFault[] = []
  const busyUntilMs = new Map<string, number>()
  // Each fault comes once before the dice decide, as far as the time goes: a short run has as many kinds as it can.
  const waiting = new Set(shuffled(random, faults))
  for (let atMs = gap(random, everyMs); atMs < durationMs; atMs += gap(random, everyMs)) {
    const free = ({ targets }: Fault) => targets.filter((target) => (busyUntilMs.get(target) ?? 0) <= atMs)
    const fault = [...waiting].find((each) => free(each).length > 0) ?? weighted(random, faults)
    const [chance, length] = [random.fraction(), random.fraction()]
    if (free(fault).length === 0) continue
    waiting.delete(fault)
    const target = pick(random, free(fault))
    const [shortestMs, longestOfFaultMs] = fault.lastsMs ?? [0, 0]
    const mostMs = Math.max(shortestMs, Math.min(longestOfFaultMs, longestMs, durationMs - atMs))
    const forMs = Math.round(shortestMs + length * (mostMs - shortestMs))
    busyUntilMs.set(target, atMs + forMs)
    plan.push({ fault, target, atMs, forMs, chance })
  }
  return plan
}

/** Between half and one and a half of `everyMs`. */
function gap(random: Random, everyMs: number): number {
  return Math.round(everyMs * (0.5 + random.fraction()))
}

function weighted(random: Random, faults: readonly Fault[]): Fault {
  let left = random.fraction() * faults.reduce((sum, { weight }) => sum + weight, 0)
  return faults.find(({ weight }) => (left -= weight) < 0) ?? faults.at(-1)!
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: random.fraction() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item)
}
