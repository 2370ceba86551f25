import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runHistory, type Breach } from './history.js'
import { mutations } from './mutations.js'
import { Engine } from './postgres/engine.js'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.open()
}, 120_000)
afterAll(() => engine.close())

// A module is mutated as it is loaded, which jest does by itself: those are for `npm run sim -- --mutation`.
const statements = mutations.flatMap(({ withinSeeds, ...rest }) =>
  withinSeeds && !rest.module ? [{ ...rest, withinSeeds }] : [],
)

describe('the simulation finds', () => {
  it.each(statements)('$what, within $withinSeeds seeds', async ({ withinSeeds, ...mutation }) => {
    let found: Breach | undefined
    for (let seed = 1; seed <= withinSeeds && !found; seed++) found = (await runHistory(engine, seed, { mutation })).broken
    expect(found).toMatchObject({ name: 'BrokenPromise' })
  })
})
