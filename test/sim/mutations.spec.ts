import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runHistory, type Breach } from './history.js'
import { mutations } from './mutations.js'
import { Engine } from './postgres/engine.js'
import { tryMutations } from './try-mutations.js'

let prepared: Blob
let engine: Engine
beforeAll(async () => {
  prepared = await Engine.prepare()
  engine = await Engine.open(prepared)
}, 120_000)
afterAll(() => engine.close())

const found = mutations.flatMap(({ withinSeeds, ...rest }) => (withinSeeds ? [{ ...rest, withinSeeds }] : []))
const statements = found.filter(({ module }) => !module)
const modules = found.filter(({ module }) => module)

describe('the simulation finds', () => {
  it.each(statements)('$what, within $withinSeeds seeds', async ({ withinSeeds, ...mutation }) => {
    let broken: Breach | undefined
    for (let seed = 1; seed <= withinSeeds && !broken; seed++) broken = (await runHistory(engine, seed, { mutation })).broken
    expect(broken).toMatchObject({ name: 'BrokenPromise' })
  })

  // A module is mutated as it is loaded: each in a thread of its own, which loads everything anew.
  it.each(modules)('$what, within $withinSeeds seeds', async ({ withinSeeds, ...mutation }) => {
    const options = { from: 1, histories: withinSeeds, threads: 1 }
    for await (const tried of tryMutations([mutation], options, prepared)) {
      expect(tried.found?.broken).toMatchObject({ name: 'BrokenPromise' })
    }
  })
})
