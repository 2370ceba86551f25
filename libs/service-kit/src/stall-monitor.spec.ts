import { afterEach, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@nubo/kernel'
import { createLogger } from './logger.js'
import { StallMonitor, type StallLimits } from './stall-monitor.js'

let monitor: StallMonitor | undefined
afterEach(() => monitor?.stop())

interface Line {
  msg: string
  blockedMs: number
}

/** Starts one; what it says comes up in the list. */
function watch(limits: StallLimits, clock: Clock = systemClock): Line[] {
  const lines: Line[] = []
  const logger = createLogger('test', 'warn', { write: (line) => void lines.push(JSON.parse(line) as Line) })
  monitor = new StallMonitor(clock, logger, limits)
  monitor.start()
  return lines
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('says of every stall of the event loop that there was one, and for how long', async () => {
  // Of a clock that stands still but in a turn that takes so long: on a busy machine any other might.
  let nowMs = 0
  const lines = watch({ warnFromMs: 300 }, { ...systemClock, monotonicMs: () => nowMs })
  for (const milliseconds of [300, 600]) {
    await turn()
    nowMs += milliseconds
    await turn()
    await turn()
  }
  expect(lines.map(({ msg }) => msg)).toEqual(['the event loop stood still', 'the event loop stood still'])
  expect(lines[0]!.blockedMs).toBeGreaterThanOrEqual(300)
  expect(lines[1]!.blockedMs).toBeGreaterThanOrEqual(600)
})

it('takes no wait for a stall', async () => {
  const lines = watch({ warnFromMs: 1_500, longestWaitMs: 10_000 })
  await systemClock.sleep(2_000)
  await turn()
  expect(lines).toEqual([])
})

it('takes a wait that nothing ended in time for a stop of the process', async () => {
  // As if it had been stopped: the alarm that ends each wait does not ring.
  const lines = watch({ warnFromMs: 300, longestWaitMs: 200 }, { ...systemClock, after: () => ({ cancel: () => undefined }) })
  // What else this process hears of breaks a wait off: once in a while nothing does.
  for (let waits = 0; waits < 30 && lines.length === 0; waits++) {
    await systemClock.sleep(1_000)
    await turn()
  }
  expect(lines[0]).toMatchObject({ msg: 'the event loop stood still' })
}, 60_000)
