import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

/** Of a process that does nothing but wait for half a second, the turns of its event loop. */
const program = `
  import { systemClock } from '@nubo/kernel'
  import { StallMonitor } from '${join(import.meta.dirname, '../dist/stall-monitor.js')}'

  new StallMonitor(systemClock, console, { longestWaitMs: 60_000 }).start()
  await systemClock.sleep(500)
  console.log(performance.nodeTiming.uvMetricsInfo.loopCount)`

it('wakes no process, and keeps none from its end', async () => {
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, env: {}, timeout: 60_000 })
  // A few for the start; a loop that never waits takes thousands.
  expect(Number(stdout)).toBeGreaterThan(0)
  expect(Number(stdout)).toBeLessThan(100)
})
