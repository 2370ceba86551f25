import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { capacityOf, roomLeft } from './host-snapshot.js'
import { sampleHost } from './sample-hosts.js'

const none = { vcpus: 0, memoryMiB: 0, diskGiB: 0 }

describe('capacityOf', () => {
  it('keeps the reserve back before it multiplies', () => {
    const total = { vcpus: 8, memoryMiB: 16_384, diskGiB: 100 }
    const reserved = { vcpus: 2, memoryMiB: 2048, diskGiB: 10 }
    expect(capacityOf(total, reserved, { vcpus: 4, memory: 1, disk: 1 })).toEqual({ vcpus: 24, memoryMiB: 14_336, diskGiB: 90 })
  })

  it.each([
    [100, 1.15, 115],
    [100, 1.1, 110],
    [3, 1.5, 4],
    [7, 0.1, 0],
  ])('%d vCPUs at a ratio of %d are %d', (vcpus, ratio, expected) => {
    expect(capacityOf({ ...none, vcpus }, none, { vcpus: ratio, memory: 1, disk: 1 }).vcpus).toBe(expected)
  })

  it('has nothing to give where the reserve is more than the host has', () => {
    expect(capacityOf(none, { vcpus: 1, memoryMiB: 512, diskGiB: 5 }, { vcpus: 4, memory: 1, disk: 1 })).toEqual(none)
  })

  it('refuses a host that it cannot reckon with', () => {
    expect(() => capacityOf({ ...none, vcpus: Number.NaN }, none, { vcpus: 1, memory: 1, disk: 1 })).toThrow(/finite/)
  })

  it('never gives more than (total - reserved) x ratio, and less than one unit less', () => {
    const amount = fc.integer({ min: 0, max: 1_000_000 })
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 1, max: 1600 }), (total, reserved, hundredths) => {
        const { memoryMiB } = capacityOf(
          { ...none, memoryMiB: total },
          { ...none, memoryMiB: reserved },
          {
            vcpus: 1,
            memory: hundredths / 100,
            disk: 1,
          },
        )
        // In whole hundredths, which floating point holds exactly.
        const exact = Math.max(0, (total - reserved) * hundredths)
        expect(memoryMiB * 100).toBeLessThanOrEqual(exact)
        expect(memoryMiB * 100).toBeGreaterThan(exact - 100)
      }),
    )
  })
})

describe('roomLeft', () => {
  it('puts aside what the hypervisor needs for one more guest', () => {
    const host = sampleHost(1, { used: { vcpus: 4, memoryMiB: 30_000, diskGiB: 20 }, overheadMiB: 268 })
    expect(roomLeft(host)).toEqual({ vcpus: 12, memoryMiB: 2500, diskGiB: 480 })
  })

  it('is negative where more was given away than may be', () => {
    expect(roomLeft(sampleHost(1, { used: { vcpus: 20, memoryMiB: 0, diskGiB: 0 } })).vcpus).toBe(-4)
  })
})
