import { expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isKnownDead, processIdentity } from './process-identity.js'

it('a living process is not known to be dead', () => {
  expect(isKnownDead(processIdentity()!)).toBe(false)
})

it('a process that ended is known to be dead, even where another has its number', async () => {
  const child = spawn('sleep', ['60'])
  const identity = processIdentity(child.pid)!
  expect(isKnownDead(identity)).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isKnownDead(identity)).toBe(true)
  expect(isKnownDead(processIdentity()!.replace(/\d+$/, '1'))).toBe(true)
})

it('of a process of another boot or namespace nothing is known', () => {
  expect(isKnownDead(processIdentity()!.replace(/^[^:]+/, 'another-boot'))).toBe(false)
  expect(
    isKnownDead(
      processIdentity()!
        .replace(/pid:\[\d+\]/, 'pid:[1]')
        .replace(/\d+$/, '1'),
    ),
  ).toBe(false)
  expect(isKnownDead('')).toBe(false)
})
