import { expect, it } from '@jest/globals'
import type { Clock } from './clock.js'
import { Rounds } from './rounds.js'

/** Timers that fire when the test says so. */
class ClockByHand implements Pick<Clock, 'after' | 'monotonicMs'> {
  nowMs = 0
  readonly waiting: { delayMs: number; action: () => void }[] = []

  after(delayMs: number, action: () => void) {
    const timer = { delayMs, action }
    this.waiting.push(timer)
    return { cancel: () => void this.waiting.splice(this.waiting.indexOf(timer), 1) }
  }

  fire(): void {
    this.waiting.shift()!.action()
  }

  monotonicMs(): number {
    return this.nowMs
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

function roundsOf(work: () => Promise<void>, pauseMs: number | (() => number) = 10) {
  const clock = new ClockByHand()
  const errors: unknown[] = []
  const rounds = new Rounds(work, { clock: clock as unknown as Clock, pauseMs, onError: (error) => errors.push(error) })
  return { clock, errors, rounds }
}

it('pauses before the first round, or begins at once', async () => {
  let begun = 0
  const late = roundsOf(async () => void begun++)
  late.rounds.start()
  expect(begun).toBe(0)
  late.clock.fire()
  expect(begun).toBe(1)
  const early = roundsOf(async () => void begun++)
  early.rounds.start({ now: true })
  expect(begun).toBe(2)
})

it('begins no round before the one at hand has ended, and asks how long to pause each time', async () => {
  const hold = Promise.withResolvers<void>()
  let pauseMs = 1
  const { clock, rounds } = roundsOf(
    () => hold.promise,
    () => pauseMs++,
  )
  rounds.start()
  clock.fire()
  await settled()
  expect(clock.waiting).toEqual([])
  hold.resolve()
  await settled()
  expect(clock.waiting).toEqual([expect.objectContaining({ delayMs: 2 })])
})

it('goes on after a round that failed, and tells of it', async () => {
  const { clock, errors, rounds } = roundsOf(async () => {
    throw new Error('this one')
  })
  rounds.start()
  clock.fire()
  await settled()
  expect(errors).toEqual([new Error('this one')])
  expect(clock.waiting).toHaveLength(1)
})

it('is stopped when the round at hand has ended, and begins none after it', async () => {
  const hold = Promise.withResolvers<void>()
  const { clock, rounds } = roundsOf(() => hold.promise)
  rounds.start()
  clock.fire()
  let isStopped = false
  const stopping = rounds.stop().then(() => (isStopped = true))
  await settled()
  expect(isStopped).toBe(false)
  hold.resolve()
  await stopping
  expect(clock.waiting).toEqual([])
})

it('stops while it pauses', async () => {
  const { clock, rounds } = roundsOf(async () => undefined)
  rounds.start()
  await rounds.stop()
  expect(clock.waiting).toEqual([])
})

it('begins rounds with long pauses together, whatever their length and their beginning', () => {
  for (const nowMs of [1_200, 5_020, 13_999, 4_321_007]) {
    for (const pauseMs of [5_000, 10_000, 15_000, 180_000]) {
      const { clock, rounds } = roundsOf(async () => undefined, pauseMs)
      clock.nowMs = nowMs
      rounds.start()
      const { delayMs } = clock.waiting[0]!
      expect((nowMs + delayMs) % 5_000).toBe(0)
      expect(Math.abs(delayMs - pauseMs)).toBeLessThanOrEqual(2_500)
    }
  }
})
