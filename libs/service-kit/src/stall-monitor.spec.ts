import { expect, it } from '@jest/globals'
import { systemClock } from '@nubo/kernel'
import { createLogger } from './logger.js'
import { StallMonitor } from './stall-monitor.js'

const block = (milliseconds: number) => {
  const untilMs = systemClock.monotonicMs() + milliseconds
  while (systemClock.monotonicMs() < untilMs);
}

it('says when the event loop stood still, and for how long', async () => {
  const lines: string[] = []
  const logger = createLogger('test', 'warn', { write: (line) => void lines.push(line) })
  const monitor = new StallMonitor(systemClock, logger, { lookEveryMs: 1_000, warnFromMs: 600 })
  monitor.start()
  // A stall that begins before Node's first look is not seen; one of those that follow is.
  while (lines.length === 0) {
    await systemClock.sleep(250)
    block(900)
  }
  monitor.stop()
  const line = JSON.parse(lines[0]!) as { msg: string; blockedMs: number }
  expect(line.msg).toBe('the event loop stood still')
  expect(line.blockedMs).toBeGreaterThanOrEqual(600)
})
