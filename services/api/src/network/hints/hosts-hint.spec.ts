import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { QUEUE } from '@nubo/control-plane'
import { waitFor } from '@nubo/deploy'
import { systemClock, type Clock } from '@nubo/kernel'
import { MemoryQueue, type Queue } from '@nubo/queue'
import { createLogger } from '@nubo/service-kit'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'
import { HostsHint } from './hosts-hint.js'

const logger = createLogger('api', 'debug', { write: () => undefined })
const hintsIn = (queue: Queue) => queue.depth('operations')

describe('a hint that networks changed', () => {
  /** A hint by a clock whose timers end when they are told to. */
  function hint() {
    const timers: (() => void)[] = []
    const clock: Clock = {
      ...systemClock,
      after(_, action) {
        timers.push(action)
        return { cancel: () => undefined }
      },
    }
    const endTimers = () => {
      for (const end of timers.splice(0)) end()
    }
    const queue = new MemoryQueue({ clock: systemClock, onError: () => undefined })
    return { queue, hint: new HostsHint(queue, clock, logger), endTimers }
  }

  it('is cast at once, and for all that comes soon after it once more', async () => {
    const { queue, hint: hosts, endTimers } = hint()
    let taken = 0
    const takenAre = (count: number) => waitFor(`${count} hints`, () => taken === count, { timeoutMs: 30_000, everyMs: 1 })
    queue.work('operations', async () => void taken++, { concurrency: 1 })
    hosts.cast()
    await takenAre(1)
    for (let change = 0; change < 10; change++) hosts.cast()
    expect(await hintsIn(queue)).toBe(0)
    endTimers()
    await takenAre(2)
    endTimers()
    hosts.cast()
    await takenAre(3)
  })

  it('waits once, however much is changed while nobody takes it', async () => {
    const { queue, hint: hosts, endTimers } = hint()
    for (let change = 0; change < 10; change++) {
      hosts.cast()
      endTimers()
      await waitFor('the hint', async () => (await hintsIn(queue)) > 0, { timeoutMs: 30_000, everyMs: 1 })
    }
    expect(await hintsIn(queue)).toBe(1)
  })
})

describe('the network API', () => {
  let api: TestApi
  let demo: NetworkRequests
  beforeAll(async () => {
    ;({ api, demo } = await startNetworkApi())
  })
  afterAll(() => api?.stop())

  it('casts a hint when something was changed, and none for what was only read or refused', async () => {
    const queue = api.app.get<Queue>(QUEUE)
    for (const path of ['/networks', '/security-groups', '/ports']) expect((await demo('GET', path)).status).toBe(200)
    expect((await demo('POST', '/networks', { network: { mtu: 'wide' } })).status).toBe(400)
    expect((await demo('POST', '/networks', { network: { name: 'inside' } })).status).toBe(201)
    await waitFor('the hint', async () => (await hintsIn(queue)) > 0, { timeoutMs: 30_000 })
    expect(await hintsIn(queue)).toBe(1)
  })
})
