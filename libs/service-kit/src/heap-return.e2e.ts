import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

/** Holds some 100 MiB of small objects, lets them go, does nothing any more, and ends once half of it went to the system. */
const program = `
  import { systemClock } from '@nubo/kernel'
  import { HeapReturn, ownHeap } from '${join(import.meta.dirname, '../dist/heap-return.js')}'

  const hurried = { ...systemClock, after: (delayMs, action, options) => systemClock.after(delayMs / 50, action, options) }
  let held = Array.from({ length: 1_000_000 }, (_, index) => ({ index, name: String(index) }))
  const residentMiB = () => process.memoryUsage.rss() / 1024 / 1024
  const tookMiB = residentMiB()
  held = undefined
  new HeapReturn(hurried, ownHeap()).start()
  while (residentMiB() > tookMiB - 50) await systemClock.sleep(100)
  console.log('given back')`

it('gives the system its pages back', async () => {
  const args = ['--expose-gc', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, env: {}, timeout: 60_000 })
  expect(stdout).toBe('given back\n')
}, 90_000)
