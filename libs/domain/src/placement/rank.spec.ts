import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '@nubo/kernel'
import fc from 'fast-check'
import type { HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import { PlacementSnapshot } from './placement-snapshot.js'
import { rank, type RankOptions } from './rank.js'
import { sampleHost, sampleHostId } from './sample-hosts.js'

const small: PlacementRequest = { vcpus: 1, memoryMiB: 512, diskGiB: 1 }

function ranked(hosts: HostSnapshot[], request = small, options: Partial<RankOptions> = {}): string[] {
  const decision = rank(new PlacementSnapshot(hosts), request, { random: seededRandom(1), ...options })
  return decision.candidates.map(({ name }) => name)
}

function refusedBy(hosts: HostSnapshot[], request: PlacementRequest) {
  return rank(new PlacementSnapshot(hosts), request, { random: seededRandom(1) }).refusals
}

describe('filters', () => {
  const used = (vcpus: number, memoryMiB: number, diskGiB: number) => ({ used: { vcpus, memoryMiB, diskGiB } })

  it.each<[string, Partial<HostSnapshot>, Partial<PlacementRequest>, object]>([
    [
      'a disabled host',
      { enabled: false, disabledReason: 'new disk' },
      {},
      { rule: 'disabled', nearest: { detail: 'new disk' } },
    ],
    ['a host not heard of', { up: false }, {}, { rule: 'down' }],
    ['a host not asked for', {}, { onlyHosts: [sampleHostId(2), sampleHostId(99)] }, { rule: 'notAsked' }],
    [
      'another zone',
      { availabilityZone: 'az2' },
      { availabilityZone: 'az1' },
      { rule: 'availabilityZone', nearest: { detail: 'az2' } },
    ],
    ['a host without a zone', {}, { availabilityZone: 'az1' }, { rule: 'availabilityZone' }],
    [
      'a host tried already',
      {},
      { excludedHosts: [{ hostId: sampleHostId(1), name: 'host-1', why: 'no image' }] },
      { rule: 'tried' },
    ],
    [
      'another architecture',
      { architecture: 'aarch64' },
      { architecture: 'x86_64' },
      { rule: 'architecture', nearest: { detail: 'aarch64' } },
    ],
    ['an architecture that no host has', {}, { architecture: 's390x' }, { rule: 'architecture' }],
    ['too few vCPUs', used(14, 0, 0), { vcpus: 3 }, { rule: 'vcpus', needed: 3, nearest: { has: 2 } }],
    ['too little memory', used(0, 32_257, 0), {}, { rule: 'memory', needed: 512, nearest: { has: 511 } }],
    [
      'too little memory for the hypervisor too',
      { ...used(0, 32_000, 0), overheadMiB: 257 },
      {},
      { rule: 'memory', needed: 512, nearest: { has: 511 } },
    ],
    ['too little disk', used(0, 0, 500), {}, { rule: 'disk', needed: 1, nearest: { has: 0 } }],
  ])('refuse %s', (_, host, request, expected) => {
    const [refusal, ...others] = refusedBy([sampleHost(1, host)], { ...small, ...request })
    expect(refusal).toMatchObject({ count: 1, nearest: { name: 'host-1' }, ...expected })
    expect(others).toEqual([])
  })

  it('accept a host that has just what is needed', () => {
    const capacity = { vcpus: 1, memoryMiB: 612, diskGiB: 1 }
    expect(
      ranked([sampleHost(1, { capacity, overheadMiB: 100, availabilityZone: 'az1' })], {
        ...small,
        availabilityZone: 'az1',
        architecture: 'x86_64',
        onlyHosts: [sampleHostId(1)],
      }),
    ).toEqual(['host-1'])
  })

  it('count a host under the first rule that refuses it, and name the one that came nearest', () => {
    const hosts = [
      sampleHost(1, { enabled: false, capacity: { vcpus: 99, memoryMiB: 1900, diskGiB: 99 } }),
      sampleHost(2, { capacity: { vcpus: 4, memoryMiB: 1000, diskGiB: 0 } }),
      sampleHost(3, { capacity: { vcpus: 4, memoryMiB: 1500, diskGiB: 0 } }),
      sampleHost(4, { capacity: { vcpus: 4, memoryMiB: 1200, diskGiB: 500 } }),
    ]
    expect(refusedBy(hosts, { vcpus: 1, memoryMiB: 2048, diskGiB: 10 })).toEqual([
      { rule: 'disabled', count: 1, nearest: { hostId: sampleHostId(1), name: 'host-1' } },
      { rule: 'memory', count: 3, needed: 2048, nearest: { hostId: sampleHostId(3), name: 'host-3', has: 1500 } },
    ])
  })

  it('take a host that is excluded and unknown for no host at all', () => {
    expect(
      ranked([sampleHost(1)], { ...small, excludedHosts: [{ hostId: sampleHostId(7), name: 'host-7', why: 'gone' }] }),
    ).toEqual(['host-1'])
  })
})

describe('weighers', () => {
  const withMemory = (number: number, memoryMiB: number, serverCount = 0) =>
    sampleHost(number, { capacity: { vcpus: 16, memoryMiB, diskGiB: 500 }, serverCount })

  it('prefer more free memory', () => {
    expect(ranked([withMemory(1, 4096), withMemory(2, 16_384), withMemory(3, 8192)])).toEqual(['host-2', 'host-3', 'host-1'])
  })

  it('prefer fewer servers', () => {
    expect(ranked([withMemory(1, 8192, 2), withMemory(2, 8192, 0), withMemory(3, 8192, 1)])).toEqual([
      'host-2',
      'host-3',
      'host-1',
    ])
  })

  it('are weighed by their multipliers', () => {
    const hosts = [withMemory(1, 16_384, 9), withMemory(2, 8192, 0)]
    expect(ranked(hosts)).toEqual(['host-2', 'host-1'])
    expect(ranked(hosts, small, { multipliers: { spread: 0.1 } })).toEqual(['host-1', 'host-2'])
    expect(ranked(hosts, small, { multipliers: { spread: 0 } })).toEqual(['host-1', 'host-2'])
    expect(ranked(hosts, small, { multipliers: { freeMemory: 0, spread: -1 } })).toEqual(['host-1', 'host-2'])
  })

  it('say what each gave', () => {
    const hosts = new PlacementSnapshot([withMemory(1, 999, 1), withMemory(2, 1999, 3)])
    const { candidates } = rank(hosts, small, { random: seededRandom(1), multipliers: { spread: 3 } })
    expect(candidates).toEqual([
      expect.objectContaining({ name: 'host-1', score: 0.875, scores: { freeMemory: 0.5, spread: 1 } }),
      expect.objectContaining({ name: 'host-2', score: 0.625, scores: { freeMemory: 1, spread: 0.5 } }),
    ])
  })

  it('leave hosts that differ little to chance', () => {
    const hosts = [withMemory(1, 100_000, 200), withMemory(2, 100_100, 201)]
    const firsts = new Set(Array.from({ length: 50 }, (_, seed) => ranked(hosts, small, { random: seededRandom(seed) })[0]))
    expect(firsts).toEqual(new Set(['host-1', 'host-2']))
  })

  it('leave all to chance when none counts', () => {
    const hosts = [withMemory(1, 1000), withMemory(2, 9000)]
    const options = (seed: number) => ({ random: seededRandom(seed), multipliers: { freeMemory: 0, spread: 0 } })
    const firsts = new Set(Array.from({ length: 50 }, (_, seed) => ranked(hosts, small, options(seed))[0]))
    expect(firsts).toEqual(new Set(['host-1', 'host-2']))
  })
})

describe('a decision', () => {
  it('lists the best twenty and counts the rest', () => {
    const hosts = Array.from({ length: 50 }, (_, index) => sampleHost(index + 1, { serverCount: index }))
    const decision = rank(new PlacementSnapshot(hosts), small, { random: seededRandom(1), nearEqual: 0 })
    expect(decision.acceptedCount).toBe(50)
    expect(decision.candidates.map(({ serverCount }) => serverCount)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it('gives a candidate all that its claim needs', () => {
    const host = sampleHost(1, {
      fencingEpoch: 7,
      overheadMiB: 68,
      used: { vcpus: 6, memoryMiB: 700, diskGiB: 100 },
      serverCount: 3,
    })
    const [candidate] = rank(new PlacementSnapshot([host]), small, { random: seededRandom(1) }).candidates
    expect(candidate).toEqual({
      hostId: host.hostId,
      name: 'host-1',
      fencingEpoch: 7,
      score: 1,
      scores: { freeMemory: 1, spread: 1 },
      room: { vcpus: 10, memoryMiB: 32_000, diskGiB: 400 },
      serverCount: 3,
    })
  })

  it('of no hosts is empty', () => {
    const decision = rank(new PlacementSnapshot(), small, { random: seededRandom(1) })
    expect(decision).toEqual({ version: 1, request: small, hostCount: 0, acceptedCount: 0, refusals: [], candidates: [] })
  })

  it('repeats with its seed and leaves the snapshot as it was', () => {
    const hosts = new PlacementSnapshot(Array.from({ length: 30 }, (_, index) => sampleHost(index + 1)))
    const decide = () => rank(hosts, small, { random: seededRandom(5) })
    expect(decide()).toEqual(decide())
  })

  it('refuses a request for less than nothing', () => {
    expect(() => ranked([sampleHost(1)], { ...small, vcpus: -1 })).toThrow(/whole units/)
    expect(() => ranked([sampleHost(1)], { ...small, memoryMiB: Number.NaN })).toThrow(/whole units/)
  })

  it('does not depend on the order in which the hosts were read', () => {
    const amount = fc.integer({ min: 0, max: 4 })
    const host = fc.record({ up: fc.boolean(), vcpus: amount, memoryMiB: amount, serverCount: amount })
    fc.assert(
      fc.property(fc.array(host, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (drawn, keys) => {
        const hosts = drawn.map(({ up, vcpus, memoryMiB, serverCount }, index) =>
          sampleHost(index, { up, serverCount, capacity: { vcpus, memoryMiB, diskGiB: 5 } }),
        )
        const shuffled = hosts
          .map((host) => ({ host, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ host }) => host)
        const decide = (hosts: HostSnapshot[]) =>
          rank(
            new PlacementSnapshot(hosts),
            { vcpus: 2, memoryMiB: 2, diskGiB: 2 },
            { random: seededRandom(1), keep: 40, nearEqual: 0 },
          )
        const [one, other] = [decide(hosts), decide(shuffled)]
        expect(other.candidates.map(({ score }) => score)).toEqual(one.candidates.map(({ score }) => score))
        expect(new Set(other.candidates)).toEqual(new Set(one.candidates))
        expect(other.refusals.map(({ rule, count, nearest }) => [rule, count, nearest.has])).toEqual(
          one.refusals.map(({ rule, count, nearest }) => [rule, count, nearest.has]),
        )
      }),
    )
  })
})
