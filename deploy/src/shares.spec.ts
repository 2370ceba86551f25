import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { shareOut } from './shares.js'

const machine = fc.record({
  memoryMiB: fc.integer({ min: 512, max: 4_000_000 }),
  cpus: fc.integer({ min: 1, max: 256 }),
  diskGiB: fc.integer({ min: 0, max: 100_000 }),
})

describe('shareOut', () => {
  it('never gives more memory or disk than there is, nor anything negative', () => {
    fc.assert(
      fc.property(machine, fc.integer({ min: 1, max: 8 }), (given, hosts) => {
        const share = shareOut(given, hosts)
        expect(share.memoryMiB * hosts).toBeLessThanOrEqual(given.memoryMiB)
        expect(share.diskGiB * hosts).toBeLessThanOrEqual(given.diskGiB)
        expect(Math.min(share.memoryMiB, share.diskGiB)).toBeGreaterThanOrEqual(0)
        expect(share.vcpus).toBeGreaterThanOrEqual(1)
      }),
    )
  })

  it('divides what the control plane leaves', () => {
    expect(shareOut({ memoryMiB: 9536, cpus: 5, diskGiB: 44 }, 2)).toEqual({
      memoryMiB: 4000,
      vcpus: 2,
      diskGiB: 20,
      reservedMemoryMiB: 256,
    })
  })
})
