import { describe, expect, it } from '@jest/globals'
import { choosePorts, listeners } from './port-block.js'

const always = async () => true
const allFree = { isFree: always, reserve: always }

describe('choosePorts', () => {
  it('gives every listener a port of its own between 8700 and 8999', async () => {
    for (const id of ['00000000', '1a2b3c4d', 'ffffffff']) {
      const ports = Object.values((await choosePorts(id, allFree))!)
      expect(new Set(ports).size).toBe(listeners.length)
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(8700)
      expect(Math.max(...ports)).toBeLessThanOrEqual(8999)
    }
  })

  it('goes on to the next block when one port of a block is taken', async () => {
    const first = (await choosePorts('00000000', allFree))!
    const second = (await choosePorts('00000000', {
      isFree: async (port) => port !== first.redis,
      reserve: always,
    }))!
    expect(second.api).toBe(first.redis + 1)
  })

  it('goes on to the next block where another installation has just chosen this one', async () => {
    const first = (await choosePorts('00000000', allFree))!
    const second = (await choosePorts('00000000', { isFree: always, reserve: async (port) => port !== first.api }))!
    expect(second.api).toBe(first.redis + 1)
  })

  it('says when none is free', async () => {
    expect(await choosePorts('1a2b3c4d', { isFree: async () => false, reserve: always })).toBeUndefined()
  })
})
