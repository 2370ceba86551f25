import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { sharedWith } from './shared-plan.js'
import { anyPlan } from './testing/any-plan.js'

const arrived = <T>(value: T) => JSON.parse(JSON.stringify(value)) as T

it('says what is told now, whatever was told before', () => {
  fc.assert(fc.property(anyPlan, anyPlan, (before, now) => expect(sharedWith(before, arrived(now))).toEqual(now)))
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (before, now) => expect(sharedWith(before, now)).toEqual(now)))
})

it('is what was told before where that says the same', () => {
  fc.assert(fc.property(anyPlan, (plan) => expect(sharedWith(plan, arrived(plan))).toBe(plan)))
})

it('keeps of a list what is in it still, wherever in it', () => {
  const before = [
    { portId: 'b', at: [1] },
    { portId: 'c', at: [2] },
  ]
  const now = sharedWith(before, [
    { portId: 'a', at: [0] },
    { portId: 'b', at: [1] },
    { portId: 'c', at: [3] },
  ])
  expect(now).toEqual([
    { portId: 'a', at: [0] },
    { portId: 'b', at: [1] },
    { portId: 'c', at: [3] },
  ])
  expect([now[1] === before[0], now[2] === before[1]]).toEqual([true, false])
})
