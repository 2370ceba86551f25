import { beforeEach, expect, it } from '@jest/globals'
import type { WorkLeft } from '@nubo/database'
import { systemClock } from '@nubo/kernel'
import type { Strain } from '@nubo/service-kit'
import { WorkLeftGauge } from './work-left.js'

const limits = { placements: 100, commandsPerHost: 10, placementSeconds: 60, connectionMs: 2_000 }
const little: WorkLeft = { placements: 99, oldestPlacementSeconds: 60, commands: 19, hosts: 2 }

let nowMs: number
let work: () => Promise<WorkLeft>
let looks: number
let longestWaitMs: number
let changes: (string | undefined)[]
let gauge: WorkLeftGauge

beforeEach(() => {
  nowMs = 0
  looks = 0
  longestWaitMs = 0
  changes = []
  work = () => Promise.resolve(little)
  gauge = new WorkLeftGauge({
    read: () => {
      looks++
      return work()
    },
    poolUse: () => ({ longestWaitMs }),
    clock: { ...systemClock, monotonicMs: () => nowMs },
    limits,
    onChange: (strain) => changes.push(strain?.code),
  })
})

/** The first that asks begins the look; this is what the next one hears, a moment later. */
async function strainOf(left: Partial<WorkLeft>): Promise<Strain | undefined> {
  work = () => Promise.resolve({ ...little, ...left })
  gauge.strain()
  await Promise.resolve()
  await Promise.resolve()
  return gauge.strain()
}

it('takes work on up to its limits', async () => {
  expect(await strainOf({})).toBeUndefined()
})

it.each<[string, Partial<WorkLeft>, Strain]>([
  ['too many servers wait', { placements: 100 }, { code: 'placements', words: '100 servers wait for a scheduler' }],
  [
    'a server waits too long',
    { oldestPlacementSeconds: 61 },
    { code: 'placements', words: 'a server has waited 61 s for a scheduler' },
  ],
  ['hosts have too much to do', { commands: 20 }, { code: 'commands', words: '20 commands wait for 2 hosts' }],
  ['there are no hosts', { commands: 10, hosts: 0 }, { code: 'commands', words: '10 commands wait for 0 hosts' }],
])('takes on no more where %s', async (_why, left, strain) => {
  expect(await strainOf(left)).toEqual(strain)
})

it('looks once a second at the most, and not at all while nobody asks', async () => {
  for (nowMs = 0; nowMs < 1_000; nowMs += 100) {
    gauge.strain()
    await Promise.resolve()
    await Promise.resolve()
  }
  expect(looks).toBe(1)
  gauge.strain()
  expect(looks).toBe(2)
})

it('does not hold against anybody what it saw long ago', async () => {
  expect(await strainOf({ placements: 100 })).toBeDefined()
  nowMs = 5_001
  expect(gauge.strain()).toBeUndefined()
})

it('takes on nothing while the database cannot be reached, does not answer, or lets others wait', async () => {
  const database = expect.objectContaining({ code: 'database' })
  work = () => Promise.reject(new Error('gone'))
  gauge.strain()
  await Promise.resolve()
  await Promise.resolve()
  expect(gauge.strain()).toEqual(database)

  work = () => new Promise(() => undefined)
  nowMs = 10_000
  expect(gauge.strain()).toBeUndefined()
  nowMs += 2_001
  expect(gauge.strain()).toEqual(database)
})

it('takes on nothing while others wait too long for a connection', () => {
  longestWaitMs = 2_001
  expect(gauge.strain()).toEqual({ code: 'database', words: 'the database does not answer in time' })
})

it('tells when it begins and when it is over, once each', async () => {
  await strainOf({ placements: 100 })
  gauge.strain()
  nowMs += 1_000
  await strainOf({})
  gauge.strain()
  expect(changes).toEqual(['placements', undefined])
})
