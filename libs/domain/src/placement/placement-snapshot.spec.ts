import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '@nubo/kernel'
import fc from 'fast-check'
import type { HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import { PlacementSnapshot, takeOff } from './placement-snapshot.js'
import { rank } from './rank.js'
import { sampleHost, sampleHostId } from './sample-hosts.js'

const request: PlacementRequest = { vcpus: 2, memoryMiB: 2048, diskGiB: 20 }

/** All that a snapshot decides by, whatever the order of its rows. */
function decisionsOf(hosts: PlacementSnapshot): unknown {
  const asked: PlacementRequest[] = [
    request,
    { vcpus: 1, memoryMiB: 100, diskGiB: 0, architecture: 'aarch64' },
    { vcpus: 0, memoryMiB: 0, diskGiB: 0, availabilityZone: 'az1' },
    { vcpus: 1000, memoryMiB: 0, diskGiB: 0 },
  ]
  return asked.map((request) => {
    const { candidates, refusals, ...rest } = rank(hosts, request, { random: seededRandom(1), keep: 1000 })
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
    const measured = refusals.map(({ rule, count, needed, nearest }) => [rule, count, needed, nearest.has])
    return { ...rest, measured, candidates: candidates.sort(byName) }
  })
}

const hostArbitrary = fc
  .record({
    number: fc.integer({ min: 1, max: 90 }),
    enabled: fc.boolean(),
    up: fc.boolean(),
    architecture: fc.constantFrom('x86_64', 'aarch64'),
    availabilityZone: fc.constantFrom('az1', 'az2', undefined),
    memoryMiB: fc.integer({ min: 0, max: 33_000 }),
    serverCount: fc.nat(20),
  })
  .map(({ number, memoryMiB, ...rest }) => sampleHost(number, { ...rest, used: { vcpus: 3, memoryMiB, diskGiB: 1 } }))

describe('a snapshot kept up to date', () => {
  it('decides as one made afresh, whatever was set and removed before', () => {
    const change = fc.oneof(hostArbitrary, fc.integer({ min: 1, max: 90 }).map(sampleHostId))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300, size: 'max' }), (changes) => {
        const kept = new PlacementSnapshot()
        const truth = new Map<string, HostSnapshot>()
        for (const change of changes) {
          if (typeof change === 'string') {
            kept.remove(change)
            truth.delete(change)
          } else {
            kept.set(change)
            truth.set(change.hostId, change)
          }
        }
        expect(kept.size).toBe(truth.size)
        for (const host of truth.values()) expect(kept.get(host.hostId)).toEqual(host)
        expect(decisionsOf(kept)).toEqual(decisionsOf(new PlacementSnapshot(truth.values())))
      }),
    )
  })

  it('keeps every property of many hosts', () => {
    const hosts = Array.from({ length: 500 }, (_, n) =>
      sampleHost(n, {
        enabled: n % 2 === 0,
        up: n % 3 === 0,
        architecture: `architecture-${n % 5}`,
        availabilityZone: `az${n % 7}`,
        capacity: { vcpus: n, memoryMiB: 2 * n, diskGiB: 3 * n },
        serverCount: 4 * n,
      }),
    )
    const kept = new PlacementSnapshot(hosts)
    const columns = hosts.map(({ hostId }) => {
      const row = kept.rowOf(hostId)!
      return {
        enabled: kept.enabled[row] === 1,
        up: kept.up[row] === 1,
        isOfArchitecture: (name: string) => kept.architecture[row] === kept.codeOf(name),
        isInZone: (name: string) => kept.availabilityZone[row] === kept.codeOf(name),
        room: [kept.freeVcpus[row], kept.freeMemoryMiB[row], kept.freeDiskGiB[row], kept.serverCount[row]],
      }
    })
    for (const [n, column] of columns.entries()) {
      expect(column).toMatchObject({ enabled: n % 2 === 0, up: n % 3 === 0, room: [n, 2 * n, 3 * n, 4 * n] })
      expect([0, 1, 2, 3, 4, 5].filter((k) => column.isOfArchitecture(`architecture-${k}`))).toEqual([n % 5])
      expect([0, 1, 2, 3, 4, 5, 6, 7].filter((k) => column.isInZone(`az${k}`))).toEqual([n % 7])
    }
  })

  it('does not know a host that was removed or never set', () => {
    const hosts = new PlacementSnapshot([sampleHost(1), sampleHost(2)])
    hosts.remove(sampleHostId(2))
    hosts.remove(sampleHostId(3))
    expect(hosts.get(sampleHostId(2))).toBeUndefined()
    expect(hosts.get(sampleHostId(3))).toBeUndefined()
    expect(hosts.size).toBe(1)
  })

  it('refuses a host whose room it cannot reckon with', () => {
    expect(() => new PlacementSnapshot([sampleHost(1, { overheadMiB: Number.NaN })])).toThrow(/host-1/)
  })
})

describe('takeOff', () => {
  it('leaves what a fresh read would show', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(hostArbitrary, { minLength: 1, maxLength: 30, selector: (host) => host.hostId }),
        fc.nat(),
        fc.integer({ min: 0, max: 500 }),
        (hosts, pickedIndex, overheadMiB) => {
          const picked = { ...hosts[pickedIndex % hosts.length]!, overheadMiB }
          const others = hosts.filter((host) => host.hostId !== picked.hostId)
          const snapshot = new PlacementSnapshot([...others, picked])
          takeOff(snapshot, picked.hostId, request)
          const { vcpus, memoryMiB, diskGiB } = picked.used
          const fresh: HostSnapshot = {
            ...picked,
            used: { vcpus: vcpus + 2, memoryMiB: memoryMiB + 2048 + overheadMiB, diskGiB: diskGiB + 20 },
            serverCount: picked.serverCount + 1,
          }
          expect(snapshot.get(picked.hostId)).toEqual(fresh)
          expect(decisionsOf(snapshot)).toEqual(decisionsOf(new PlacementSnapshot([...others, fresh])))
        },
      ),
    )
  })

  it('leaves the caller its own host as it was', () => {
    const host = sampleHost(1)
    takeOff(new PlacementSnapshot([host]), host.hostId, request)
    expect(host).toEqual(sampleHost(1))
  })

  it('refuses a host that the snapshot does not have', () => {
    expect(() => takeOff(new PlacementSnapshot(), sampleHostId(1), request)).toThrow(/is in the snapshot/)
  })

  it('fills room for six with six of ten, spread over the hosts', () => {
    const room = { vcpus: 4, memoryMiB: 4096, diskGiB: 40 }
    const hosts = new PlacementSnapshot([1, 2, 3].map((number) => sampleHost(number, { capacity: room })))
    const placed = Array.from({ length: 10 }, () => {
      const [best] = rank(hosts, request, { random: seededRandom(1) }).candidates
      if (best) takeOff(hosts, best.hostId, request)
      return best?.name
    })
    expect(new Set(placed.slice(0, 3))).toEqual(new Set(['host-1', 'host-2', 'host-3']))
    expect(new Set(placed.slice(3, 6))).toEqual(new Set(['host-1', 'host-2', 'host-3']))
    expect(placed.slice(6)).toEqual([undefined, undefined, undefined, undefined])
  })
})
