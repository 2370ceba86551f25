import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { disjoint, contains, parsePrefix } from '../prefixes.js'
import { lotOf, slotsOf as slotsOfLots } from './zones.js'

const slotsOf = (keys: readonly string[], count: number) => slotsOfLots(keys.map(lotOf), count)

const keys = fc.uniqueArray(fc.uuid(), { maxLength: 40 })

it('gives each key a slot of its own, whatever the others are', () => {
  fc.assert(
    fc.property(keys, fc.integer({ min: 40, max: 200 }), (all, count) => {
      const slots = slotsOf(all, count)
      expect(new Set(slots.values()).size).toBe(all.length)
      for (const slot of slots.values()) expect(slot >= 1 && slot <= count).toBe(true)
      expect(slotsOf(all.toReversed(), count)).toEqual(new Map(all.toSorted().map((key) => [key, slots.get(key)])))
    }),
  )
})

it('leaves nearly all where they were when one comes or goes', () => {
  const all = Array.from({ length: 200 }, (_, index) => `network-${index}`)
  const [before, after] = [slotsOf(all, 65_000), slotsOf(all.slice(1), 65_000)]
  expect([...after].filter(([key, slot]) => before.get(key) !== slot)).toEqual([])
})

const prefix = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 8, max: 32 }))
  .map(([a, b, length]) => `10.0.${a}.${b}/${length}`)

it('keeps of prefixes those that cover all, and none twice', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 30 }), (all) => {
      const kept = disjoint(all).map(parsePrefix)
      for (const text of all) expect(kept.filter((one) => contains(one, parsePrefix(text)))).toHaveLength(1)
      for (const one of kept) expect(kept.filter((other) => contains(one, other))).toEqual([one])
    }),
  )
})
