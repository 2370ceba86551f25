import { expect, it } from '@jest/globals'
import { systemProcesses } from './process-runner.js'

const { run } = systemProcesses()

it('gives what a program wrote, and says why one failed', async () => {
  expect(await run('cat', [], { timeoutMs: 10_000, input: 'text' })).toBe('text')
  await expect(run('sh', ['-c', 'echo no >&2; exit 3'], { timeoutMs: 10_000 })).rejects.toThrow('sh failed: no')
  await expect(run('no-such-program', [], { timeoutMs: 500 })).rejects.toMatchObject({ kind: 'Unavailable' })
})

it('waits no longer than it may for a program, nor for those that this one began', async () => {
  await expect(run('sh', ['-c', 'sleep 1000; true'], { timeoutMs: 100 })).rejects.toThrow('longer than 100 ms')
})
