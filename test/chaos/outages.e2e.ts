import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import { systemClock } from '@nubo/kernel'
import { SimulatedCloud } from './simulated-cloud.js'

const minutes = 60_000
/** Longer than a host may be silent; two minutes of it say no more. */
const outageMs = Number(process.env['NUBO_OUTAGE_SECONDS'] ?? 45) * 1_000

let stage: SimulatedCloud

beforeAll(async () => {
  stage = await SimulatedCloud.start()
}, 2 * minutes)
afterEach(() => stage.clear(), 3 * minutes)
afterAll(() => stage?.[Symbol.asyncDispose](), minutes)

/** Asks for `count` servers, `atOnce` at a time, until all were accepted; gives how often each status was answered. */
async function createUntilAccepted(count: number, atOnce = 10): Promise<Map<number, number>> {
  const answers = new Map<number, number>()
  let next = 0
  const worker = async () => {
    while (next < count) {
      const name = `case-${next++}`
      await waitFor(`${name} is accepted`, async () => note(await stage.create(name)) === 202, { timeoutMs: 3 * minutes })
    }
  }
  const note = (status: number) => {
    answers.set(status, (answers.get(status) ?? 0) + 1)
    return status
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return answers
}

it(
  'Redis loses its data in the middle of 100 creates: all 100 end ACTIVE',
  async () => {
    const { redis } = stage.cloud
    const creating = createUntilAccepted(100)
    await waitFor('a third of them is there', async () => (await stage.servers()).length >= 30, {
      timeoutMs: minutes,
      everyMs: 10,
    })
    await redis.lose()
    await redis.start()
    await creating
    expect(await stage.settled()).toEqual({ ACTIVE: 100 })
  },
  5 * minutes,
)

it(
  'Redis is away for longer than a host may be silent: no host is shown down, then or after, and creates wait and then end',
  async () => {
    const { redis } = stage.cloud
    await redis.halt()
    const seen = new Set<string>()
    const look = async () => {
      const { states, areHeard } = await stage.hosts()
      for (const state of states) seen.add(state)
      return areHeard
    }
    const end = systemClock.monotonicMs() + outageMs
    const creating = createUntilAccepted(20)
    while (systemClock.monotonicMs() < end) {
      await look()
      await systemClock.sleep(500)
    }
    expect((await stage.servers()).every(({ status }) => status === 'BUILD')).toBe(true)
    await redis.start()
    await creating
    expect(await stage.settled()).toEqual({ ACTIVE: 20 })
    await waitFor('every host was heard again', look, { timeoutMs: minutes, everyMs: 100 })
    expect([...seen]).toEqual(['up'])
  },
  8 * minutes,
)

it(
  'PostgreSQL restarts: the API answers 503 for the while, and nothing else, then all end ACTIVE',
  async () => {
    const { postgres } = stage.cloud
    const creating = createUntilAccepted(50)
    await waitFor('some are there', async () => (await stage.servers()).length >= 10, { timeoutMs: minutes, everyMs: 10 })
    await postgres.kill()
    await waitFor('the API says that it cannot', async () => (await stage.answerToList()) === 503, { timeoutMs: minutes })
    await postgres.start()
    const answers = await creating
    expect([...answers.keys()].sort()).toEqual([202, 503])
    expect(await stage.settled()).toEqual({ ACTIVE: 50 })
  },
  5 * minutes,
)
