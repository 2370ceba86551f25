import { expect, it } from '@jest/globals'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Database, ImageFileId } from '@nubo/database'
import { newId, systemRandom, type Clock } from '@nubo/kernel'
import { createLogger } from '@nubo/service-kit'
import { UploadsUnderWay } from './uploads-under-way.js'

/** Time that passes where it is told to, with the timers that fall due. */
class ClockByHand implements Pick<Clock, 'after' | 'monotonicMs'> {
  private nowMs = 0
  private due: { atMs: number; action: () => void }[] = []

  monotonicMs = () => this.nowMs

  after(delayMs: number, action: () => void) {
    const timer = { atMs: this.nowMs + delayMs, action }
    this.due.push(timer)
    return { cancel: () => void (this.due = this.due.filter((each) => each !== timer)) }
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1_000
      const now = this.due.filter(({ atMs }) => atMs <= this.nowMs)
      this.due = this.due.filter(({ atMs }) => atMs > this.nowMs)
      for (const { action } of now) action()
      await setImmediate()
    }
  }
}

/** An upload that sends `bytes` each `everySeconds`; how long it lives, in seconds, if it does not live for an hour. */
async function lifeOf(bytes: number, everySeconds: number): Promise<number | 'an hour'> {
  const clock = new ClockByHand()
  const db = { query: async (_: string, [ids]: [string[]]) => ids.map((id) => ({ id })) } as unknown as Database
  const pace = { idleMs: 60_000, leastBytesPerSecond: 500 }
  const uploads = new UploadsUnderWay(db, clock as unknown as Clock, createLogger('image', 'fatal'), pace)
  const body = new Readable({ read() {} })
  body.on('error', () => undefined)
  const upload = uploads.begin(newId<ImageFileId>(systemRandom), body)
  upload.progressed(bytes)
  let lived = 0
  for (; lived < 3_600 && !body.destroyed; lived += everySeconds) {
    await clock.pass(everySeconds)
    if (!body.destroyed) upload.progressed(bytes)
  }
  upload.end()
  return body.destroyed ? lived : 'an hour'
}

it('ends an upload that sends so little that it might as well send nothing', async () => {
  expect(await lifeOf(1, 59)).toBe(118)
  expect(await lifeOf(400, 1)).toBeLessThan(400)
})

it('lets one go on that is slow, or that pauses', async () => {
  expect(await lifeOf(600, 1)).toBe('an hour')
  expect(await lifeOf(40_000, 50)).toBe('an hour')
})

it('counts in nobody’s favour what came long ago', async () => {
  expect(await lifeOf(2 ** 30, 70)).toBe(70)
})
