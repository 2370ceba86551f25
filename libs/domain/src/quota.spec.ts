import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { defaultLimits, exceeded, limitRefusal, limitsOf, serversWithin, unlimited, type QuotaAmounts } from './quota.js'

describe('limitsOf', () => {
  it('fills in the defaults', () => {
    expect(limitsOf({ instances: 50 })).toEqual({ ...defaultLimits, instances: 50 })
  })
})

describe('exceeded', () => {
  it('speaks of servers as Nova does', () => {
    const usage = { instances: 10, cores: 20, ramMiB: 1024 }
    expect(exceeded(defaultLimits, usage, { instances: 1, cores: 1, ramMiB: 512 })).toEqual({
      resources: ['cores', 'instances'],
      message: 'Quota exceeded for cores, instances: Requested 1, 1, but already used 20, 10 of 20, 10 cores, instances',
    })
    expect(exceeded(defaultLimits, usage, { ramMiB: 50_177 })?.message).toBe(
      'Quota exceeded for ram: Requested 50177, but already used 1024 of 51200 ram',
    )
  })

  it.each<[QuotaAmounts, QuotaAmounts, string]>([
    [{}, { metadataItems: 129 }, 'Maximum number of metadata items exceeds 128'],
    [{ keyPairs: 100 }, { keyPairs: 1 }, 'Quota exceeded, too many key pairs.'],
    [{ serverGroups: 10 }, { serverGroups: 1 }, 'Quota exceeded, too many server groups.'],
    [{ serverGroupMembers: 10 }, { serverGroupMembers: 1 }, 'Quota exceeded, too many servers in group'],
    [{}, { injectedFiles: 6 }, 'Personality file limit exceeded'],
    [{}, { injectedFileContentBytes: 10_241, injectedFilePathBytes: 256 }, 'Personality file path exceeds maximum 255'],
    [{}, { injectedFileContentBytes: 10_241 }, 'Personality file content exceeds maximum 10240'],
    [{ instances: 10 }, { instances: 1, metadataItems: 129 }, 'Maximum number of metadata items exceeds 128'],
  ])('with %j in use, refuses %j: %s', (usage, wanted, message) => {
    expect(exceeded(defaultLimits, usage, wanted)?.message).toBe(message)
  })

  it('allows the last that is left, and anything where there is no limit', () => {
    expect(exceeded(defaultLimits, { instances: 9, cores: 19 }, { instances: 1, cores: 1 })).toBeUndefined()
    expect(exceeded(limitsOf({ cores: unlimited }), { cores: 1_000_000 }, { cores: 1_000_000 })).toBeUndefined()
    expect(exceeded(limitsOf({ keyPairs: 0 }), {}, { keyPairs: 1 })?.resources).toEqual(['keyPairs'])
  })
})

describe('serversWithin', () => {
  it('makes as many as are wanted, or as many as are left', () => {
    const servers = { vcpus: 2, memoryMiB: 512, minCount: 2, maxCount: 8 }
    expect(serversWithin(defaultLimits, {}, servers)).toEqual({ count: 8 })
    expect(serversWithin(defaultLimits, { cores: 13 }, servers)).toEqual({ count: 3 })
  })

  it('says what was asked for when not even the least fits', () => {
    const usage = { instances: 9, cores: 18, ramMiB: 0 }
    const servers = { vcpus: 2, memoryMiB: 512, minCount: 2, maxCount: 8 }
    expect(serversWithin(defaultLimits, usage, servers)).toEqual({
      resources: ['cores', 'instances'],
      message: 'Quota exceeded for cores, instances: Requested 16, 2-8, but already used 18, 9 of 20, 10 cores, instances',
    })
    expect(serversWithin(defaultLimits, usage, { ...servers, maxCount: 2 })).toMatchObject({
      message: 'Quota exceeded for cores, instances: Requested 4, 2, but already used 18, 9 of 20, 10 cores, instances',
    })
  })

  it('answers at once, however many are wanted', () => {
    const servers = { vcpus: 0, memoryMiB: 0, minCount: 1, maxCount: 2 ** 31 - 1 }
    expect(serversWithin(limitsOf({ instances: unlimited }), {}, servers)).toEqual({ count: 2 ** 31 - 1 })
    expect(serversWithin(defaultLimits, {}, { ...servers, minCount: 11 })).toMatchObject({ resources: ['instances'] })
  })

  it('makes the most that exceeds nothing', () => {
    const amount = fc.integer({ min: -1, max: 30 })
    const used = fc.integer({ min: 0, max: 20 })
    const per = fc.integer({ min: 0, max: 4 })
    const counts = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }))
    fc.assert(
      fc.property(amount, amount, amount, used, used, used, per, per, counts, (...drawn) => {
        const [instances, cores, ramMiB, usedInstances, usedCores, usedRamMiB, vcpus, memoryMiB, [minCount, more]] = drawn
        const limits = limitsOf({ instances, cores, ramMiB })
        const usage = { instances: usedInstances, cores: usedCores, ramMiB: usedRamMiB }
        const maxCount = minCount + more
        const excess = (count: number) =>
          exceeded(limits, usage, { instances: count, cores: count * vcpus, ramMiB: count * memoryMiB })
        const most = Array.from({ length: more + 1 }, (_, index) => maxCount - index).find((count) => !excess(count))
        const answer = serversWithin(limits, usage, { vcpus, memoryMiB, minCount, maxCount })
        if (most !== undefined) expect(answer).toEqual({ count: most })
        else expect(answer).toMatchObject({ resources: excess(maxCount)!.resources })
      }),
      { numRuns: 3000 },
    )
  })
})

describe('limitRefusal', () => {
  it('refuses a limit below what is in use', () => {
    expect(limitRefusal('ramMiB', 512, 1024)).toBe(
      'Quota limit 512 for ram must be greater than or equal to already used and reserved 1024.',
    )
    expect(limitRefusal('instances', 3, 3)).toBeUndefined()
    expect(limitRefusal('instances', unlimited, 3)).toBeUndefined()
  })
})
