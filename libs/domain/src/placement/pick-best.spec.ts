import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '@nubo/kernel'
import fc from 'fast-check'
import { pickBest } from './pick-best.js'

const scoresArbitrary = fc.array(
  fc.integer({ min: 0, max: 100 }).map((hundredths) => hundredths / 100),
  { maxLength: 60 },
)
const seedArbitrary = fc.nat()

describe('pickBest', () => {
  it('puts the highest first, band by band', () => {
    fc.assert(
      fc.property(scoresArbitrary, fc.constantFrom(0, 0.05, 0.5), seedArbitrary, (scores, nearEqual, seed) => {
        const picked = pickBest(Float64Array.from(scores), nearEqual, Infinity, seededRandom(seed))
        expect([...picked].sort((a, b) => a - b)).toEqual(scores.map((_, position) => position))
        for (let i = 1; i < picked.length; i++) {
          expect(scores[picked[i]!]!).toBeLessThanOrEqual(scores[picked[i - 1]!]! + nearEqual)
        }
      }),
    )
  })

  it('keeps those that the whole order would begin with, whatever it keeps', () => {
    fc.assert(
      fc.property(scoresArbitrary, fc.integer({ min: 1, max: 25 }), seedArbitrary, (scores, keep, seed) => {
        const picked = pickBest(Float64Array.from(scores), 0, keep, seededRandom(seed))
        const highestFirst = [...scores].sort((a, b) => b - a).slice(0, keep)
        expect(picked.map((position) => scores[position]!)).toEqual(highestFirst)
      }),
    )
  })

  it('leaves near-equals to chance, each as likely as the others', () => {
    const scores = Float64Array.of(0.3, 0.9, 0.901, 0.5, 0.905, 0.9)
    const random = seededRandom(1)
    const firsts = new Map<number, number>()
    for (let i = 0; i < 40_000; i++) {
      const [first] = pickBest(scores, 0.01, 2, random)
      firsts.set(first!, (firsts.get(first!) ?? 0) + 1)
    }
    expect([...firsts.keys()].sort()).toEqual([1, 2, 4, 5])
    for (const times of firsts.values()) expect(Math.abs(times - 10_000)).toBeLessThan(400)
  })

  it('picks any of many equals, however few it keeps', () => {
    const scores = new Float64Array(500).fill(1)
    const random = seededRandom(2)
    const picked = new Set<number>()
    for (let i = 0; i < 600; i++) for (const position of pickBest(scores, 0.01, 20, random)) picked.add(position)
    expect(picked.size).toBe(500)
  })

  it('keeps at least one', () => {
    expect(() => pickBest(Float64Array.of(1), 0, 0, seededRandom(1))).toThrow(/at least/)
  })
})
