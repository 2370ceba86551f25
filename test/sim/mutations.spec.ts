import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runHistory, type Breach } from './history.js'
import type { Mutation } from './mutation.js'
import { mutations } from './mutations.js'
import { Engine } from './postgres/engine.js'
import { tryMutations, type Tried } from './try-mutations.js'

let prepared: Blob
let engine: Engine
beforeAll(async () => {
  prepared = await Engine.prepare()
  engine = await Engine.open(prepared)
}, 120_000)
afterAll(() => engine.close())

const found = mutations.flatMap(({ withinSeeds, ...rest }) => (withinSeeds ? [{ ...rest, withinSeeds }] : []))
const notFound = mutations.filter(({ withinSeeds }) => !withinSeeds)
/** Every statement is carried out within so many histories. */
const allStatements = 100

/** Lives this mutation in a thread of its own, which loads everything anew: a module is mutated as it is loaded. */
async function tryIn(histories: number, mutation: Mutation): Promise<Tried> {
  const { value } = await tryMutations([mutation], { from: 1, histories, threads: 1 }, prepared).next()
  return value as Tried
}

describe('the simulation finds', () => {
  it.each(found.filter(({ module }) => !module))('$what, within $withinSeeds seeds', async ({ withinSeeds, ...mutation }) => {
    let broken: Breach | undefined
    for (let seed = 1; seed <= withinSeeds && !broken; seed++) broken = (await runHistory(engine, seed, { mutation })).broken
    expect(broken).toMatchObject({ name: 'BrokenPromise' })
  })

  it.each(found.filter(({ module }) => module))('$what, within $withinSeeds seeds', async ({ withinSeeds, ...mutation }) => {
    expect(await tryIn(withinSeeds, mutation)).toMatchObject({ found: { broken: { name: 'BrokenPromise' } } })
  })
})

describe('what it does not find is in our code', () => {
  it.each(notFound.filter(({ module }) => !module))('$what', async (mutation) => {
    let metRule = false
    for (let seed = 1; seed <= allStatements && !metRule; seed++) ({ metRule } = await runHistory(engine, seed, { mutation }))
    expect(metRule).toBe(true)
  })

  it.each(notFound.filter(({ module }) => module))('$what', async (mutation) => {
    expect((await tryIn(1, mutation)).failed).toBeUndefined()
  })
})

it('a rule that is not in our code is not broken, and that is said', async () => {
  const gone = { name: 'gone', what: 'a rule that is gone', rule: 'nobody says this', instead: '' }
  const inModule = { ...gone, module: 'libs/workflow/dist/sweeper.js' }
  const ofNoModule = { ...gone, module: 'libs/workflow/dist/nowhere.js' }
  for (const mutation of [gone, inModule, ofNoModule]) {
    const { failed } = await tryIn(2, mutation)
    expect(failed?.message).toMatch(/^Mutation gone: rule not met: .* does not say: nobody says this$/)
  }
})
