import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { World } from './core/world.js'
import { runHistory } from './history.js'
import { Engine } from './postgres/engine.js'

/** A rule that a statement keeps, taken out of it, and the seeds within which that is to be found. */
interface Mutation {
  what: string
  rule: string
  instead: string
  withinSeeds: number
}

const mutations: readonly Mutation[] = [
  {
    what: 'room that is freed in one place and not in the other',
    rule: 'used_memory_mib = used_memory_mib - f.memory_mib',
    instead: 'used_memory_mib = used_memory_mib',
    withinSeeds: 10,
  },
  {
    what: 'a claim that does not look whether there is room',
    rule: `AND h.used_vcpus + v.vcpus <= h.capacity_vcpus
      AND h.used_memory_mib + v.memory_mib + h.overhead_mib <= h.capacity_memory_mib`,
    instead: '',
    withinSeeds: 100,
  },
  {
    what: 'a quota that is not looked at',
    rule: 'OR q.used_instances + excluded.used_instances <=',
    instead: 'OR 0 <=',
    withinSeeds: 20,
  },
  {
    what: 'a quota that a deletion does not give back',
    rule: 'used_instances = used_instances - 1',
    instead: 'used_instances = used_instances',
    withinSeeds: 10,
  },
  {
    what: 'commands that raise no fence',
    rule: 'SET fence = fence + $8',
    instead: 'SET fence = GREATEST(1, $8 * 0)',
    withinSeeds: 10,
  },
  {
    what: 'what a host saw of its guests, written down nowhere',
    rule: 'v.power_state <> g.power_state',
    instead: 'false',
    withinSeeds: 60,
  },
]

let engine: Engine
beforeAll(async () => {
  engine = await Engine.open()
}, 120_000)
afterAll(() => engine.close())

/** Puts the mutation in the place of the rule, wherever a statement has it. */
function sabotageBy({ rule, instead }: Mutation, met: { count: number }) {
  return (world: World) => {
    world.postgres.inPlaceOf = (text) => {
      if (text.includes(rule)) met.count++
      return text.replace(rule, () => instead)
    }
  }
}

describe('the simulation finds', () => {
  it.each(mutations)('$what', async (mutation) => {
    const met = { count: 0 }
    const sabotage = sabotageBy(mutation, met)
    let found: Error | undefined
    for (let seed = 1; seed <= mutation.withinSeeds && !found; seed++)
      found = (await runHistory(engine, seed, { sabotage })).broken
    expect(met.count).toBeGreaterThan(0)
    expect(found).toMatchObject({ name: 'BrokenPromise' })
  })
})
