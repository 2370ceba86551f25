import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { identify, isAlive, signal, startTicksOf } from './identity.js'

describe('the identity of a process', () => {
  it('lives as long as the process does', async () => {
    const child = spawn('sleep', ['1000'])
    const identity = identify(child.pid!)!
    expect(isAlive(identity)).toBe(true)
    expect(signal(identity, 'SIGKILL')).toBe(true)
    await once(child, 'exit')
    expect(isAlive(identity)).toBe(false)
    expect(signal(identity, 'SIGKILL')).toBe(false)
  })

  it('is not that of another process with the same number, nor of another boot', () => {
    const us = identify(process.pid)!
    expect(isAlive({ ...us, startTicks: us.startTicks - 1 })).toBe(false)
    expect(isAlive({ ...us, bootId: 'another' })).toBe(false)
    expect(signal({ ...us, bootId: 'another' }, 'SIGKILL')).toBe(false)
  })

  it('reads names with blanks and brackets, and knows the dead', () => {
    const fields = (state: string) => `7 (a) b (c) ${state} 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0`
    expect(startTicksOf(fields('S'))).toBe(4711)
    expect(startTicksOf(fields('Z'))).toBeUndefined()
  })
})
