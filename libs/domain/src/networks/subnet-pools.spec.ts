import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  parsePrefix,
  prefixAround,
  prefixContains,
  prefixesOverlap,
  prefixSize,
  printPrefix,
  type Prefix,
} from '../addresses/index.js'
import { compactPrefixes, firstFreePrefix } from './subnet-pools.js'

/** Within a /16, so that they meet. */
const someAnyPrefix = fc
  .tuple(fc.nat({ max: 65_535 }), fc.integer({ min: 18, max: 26 }))
  .map(([offset, length]): Prefix => prefixAround({ family: 4, value: 0x0a_00_00_00n + BigInt(offset) }, length))
const somePrefixes = fc.array(someAnyPrefix, { minLength: 1, maxLength: 12 })

it('joins prefixes to the fewest that hold the same addresses', () => {
  fc.assert(
    fc.property(somePrefixes, fc.nat({ max: 65_535 }), (prefixes, offset) => {
      const compact = compactPrefixes(prefixes)
      const address = { family: 4 as const, value: 0x0a_00_00_00n + BigInt(offset) }
      const isIn = (all: readonly Prefix[]) => all.some((each) => prefixContains(each, address))
      expect(isIn(compact)).toBe(isIn(prefixes))
      for (const [index, one] of compact.entries())
        expect(compact.slice(index + 1).some((other) => prefixesOverlap(one, other))).toBe(false)
      expect(compactPrefixes(compact)).toEqual(compact)
    }),
  )
  const joined = compactPrefixes(['10.0.1.0/24', '10.0.0.0/24', '10.0.2.0/23'].map((text) => parsePrefix(text)!))
  expect(joined.map(printPrefix)).toEqual(['10.0.0.0/22'])
  const apart = compactPrefixes(['10.0.1.0/24', '10.0.2.0/24'].map((text) => parsePrefix(text)!))
  expect(apart).toHaveLength(2)
})

it('finds the first free prefix, and only one that is there', () => {
  fc.assert(
    fc.property(somePrefixes, somePrefixes, fc.integer({ min: 20, max: 26 }), (pool, taken, length) => {
      const found = firstFreePrefix(pool, taken, length)
      const all = pool.flatMap((space) =>
        space.length > length
          ? []
          : Array.from({ length: 2 ** (length - space.length) }, (_, n): Prefix => {
              const first = { family: 4 as const, first: space.first, length }
              return { ...first, first: space.first + BigInt(n) * prefixSize(first) }
            }),
      )
      expect(found).toEqual(all.find((each) => !taken.some((other) => prefixesOverlap(each, other))))
    }),
  )
})
