import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runHistory } from './history.js'
import { Engine } from './postgres/engine.js'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.open()
}, 120_000)
afterAll(() => engine.close())

const seedsAPart = 15
const parts = Array.from({ length: 8 }, (_, part) => 1_000 + part * seedsAPart)

describe('a cloud in virtual time', () => {
  it.each(parts)(`keeps every promise in the ${seedsAPart} histories from seed %i on`, async (from) => {
    for (let seed = from; seed < from + seedsAPart; seed++) {
      const { broken, history } = await runHistory(engine, seed)
      // The whole history of what went wrong, and how to see it again.
      if (broken) throw new Error(`npm run sim -- --seed ${seed}\n${history}`, { cause: broken })
      expect(broken).toBeUndefined()
    }
  })

  it('lives the same history again from the same seed, whatever was before it', async () => {
    const first = await runHistory(engine, 7)
    await runHistory(engine, 8)
    const again = await runHistory(engine, 7, { verbose: true })
    expect(again.fingerprint).toBe(first.fingerprint)
    expect(again.events).toBe(first.events)
    expect((await runHistory(engine, 9)).fingerprint).not.toBe(first.fingerprint)
  })

  it('lives each of many histories again, with others before it', async () => {
    const seeds = Array.from({ length: 30 }, (_, index) => 50_010 + index)
    const live = async (order: readonly number[]) => {
      const lived = new Map<number, string>()
      for (const seed of order) lived.set(seed, (await runHistory(engine, seed)).fingerprint)
      return seeds.map((seed) => `${seed} ${lived.get(seed)}`)
    }
    expect(await live(seeds.toReversed())).toEqual(await live(seeds))
  }, 120_000)
})
