import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '@nubo/kernel'
import fc from 'fast-check'
import type { Fault } from './faults/fault.js'
import { makePlan, type PlannedFault } from './plan.js'

const fault = (name: string, targets: string[], lastsMs?: [number, number]): Fault => ({
  ...{ name, targets, weight: 1 },
  ...(lastsMs && { lastsMs }),
  inject: async () => ({ did: name }),
})
const faults = [
  fault('kill', ['api', 'conductor']),
  fault('pause', ['api', 'conductor'], [5_000, 60_000]),
  fault('cut', ['host-1', 'host-2'], [5_000, 60_000]),
]
const limits = { faults, durationMs: 600_000, everyMs: 8_000, longestMs: 30_000 }
const planOf = (seed: number) => makePlan({ ...limits, random: seededRandom(seed) })
const shown = (plan: PlannedFault[]) => plan.map(({ fault: { name }, ...rest }) => ({ name, ...rest }))

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(shown(planOf(7))).toEqual(shown(planOf(7)))
    expect(shown(planOf(7))).not.toEqual(shown(planOf(8)))
  })

  it('holds every fault, leaves a target in peace while a fault is at it, and ends in time', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const plan = planOf(seed)
        expect(new Set(plan.map((planned) => planned.fault))).toEqual(new Set(faults))
        for (const [index, one] of plan.entries()) {
          expect(one.fault.targets).toContain(one.target)
          expect(one.atMs).toBeLessThan(limits.durationMs)
          expect(one.forMs).toBeLessThanOrEqual(limits.longestMs)
          const later = plan.slice(index + 1).filter(({ target }) => target === one.target)
          for (const { atMs } of later) expect(atMs).toBeGreaterThanOrEqual(one.atMs + one.forMs)
        }
      }),
    )
  })
})
