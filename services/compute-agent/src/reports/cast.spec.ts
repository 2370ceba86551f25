import { expect, it } from '@jest/globals'
import { reportsQueue, type Report } from '@nubo/contract'
import { systemClock } from '@nubo/kernel'
import { MemoryQueue } from '@nubo/queue'
import { quiet } from '../testing/test-agent.js'
import { reportsTo } from './cast.js'

const report = (kind: Report['kind']) => ({ kind }) as Report

it('does not fill the queue while nobody takes reports, and goes on when somebody does', async () => {
  const queue = new MemoryQueue({ clock: systemClock, onError: () => undefined })
  const cast = reportsTo(queue, quiet)
  await queue.castAll(
    reportsQueue,
    Array.from({ length: 9_999 }, () => ({})),
  )
  expect(await cast(report('heartbeat'))).toBe(true)
  expect(await cast(report('result'))).toBe(true)
  expect(await cast(report('heartbeat'))).toBe(false)
  expect(await cast(report('result'))).toBe(false)
  expect(await cast(report('register'))).toBe(true)
  expect(await queue.depth(reportsQueue)).toBe(10_002)

  const subscription = queue.work(reportsQueue, async () => undefined, { concurrency: 1_000 })
  while ((await queue.depth(reportsQueue)) > 0) await systemClock.sleep(5)
  expect(await cast(report('heartbeat'))).toBe(true)
  expect(await cast(report('result'))).toBe(true)
  await subscription.close()
})
