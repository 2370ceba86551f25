import { PlacementSnapshot, rank, takeOff, type HostSnapshot, type PlacementRequest } from '@nubo/domain'
import { newId, pick, seededRandom, systemClock, type HostId, type Random } from '@nubo/kernel'
import type { Figure } from './figures.js'
import { median, p99 } from './statistics.js'

const warmUps = 500

interface Measured {
  hosts: number
  perSecond: number
  milliseconds: number[]
}

const flavors: PlacementRequest[] = [
  { vcpus: 1, memoryMiB: 512, diskGiB: 1 },
  { vcpus: 1, memoryMiB: 2048, diskGiB: 20, architecture: 'x86_64' },
  { vcpus: 4, memoryMiB: 8192, diskGiB: 80, architecture: 'x86_64' },
  { vcpus: 16, memoryMiB: 65_536, diskGiB: 320, architecture: 'aarch64' },
  // Fits nowhere: the decision that a person waits for the reasons of.
  { vcpus: 256, memoryMiB: 1_048_576, diskGiB: 1 },
]

/**
 * Decisions of the pure scheduler, reasons counted and the claim of each taken off, on clouds of 100, 1,000 and 10,000
 * hosts of mixed size and use: how many a second, and how long one takes.
 */
export function benchPlacement(): Figure[] {
  const [hundred, thousand, tenThousand] = [measure(100, 2000), measure(1000, 2000), measure(10_000, 2000)]
  const growth = (few: Measured, many: Measured) => few.perSecond / many.perSecond
  return [
    ...figuresOf(hundred),
    ...figuresOf(thousand),
    ...figuresOf(tenThousand),
    { name: 'cost with 1,000 hosts / with 100', value: growth(hundred, thousand), unit: 'x' },
    { name: 'cost with 10,000 hosts / with 1,000', value: growth(thousand, tenThousand), unit: 'x' },
  ]
}

function figuresOf({ hosts, perSecond, milliseconds }: Measured): Figure[] {
  const of = `with ${hosts.toLocaleString('en')} hosts`
  const aim = hosts === 10_000 ? { aim: { atLeast: 1000 } } : {}
  return [
    { name: `decisions ${of}`, value: perSecond, unit: '/s', ...aim },
    { name: `  one decision ${of}`, value: median(milliseconds), p99: p99(milliseconds), unit: 'ms' },
  ]
}

function measure(hosts: number, decisions: number): Measured {
  const random = seededRandom(hosts)
  const snapshot = new PlacementSnapshot(Array.from({ length: hosts }, (_, index) => mixedHost(random, index)))
  for (let i = 0; i < warmUps; i++) decideAndClaim(snapshot, random)
  const milliseconds: number[] = []
  const startMs = systemClock.monotonicMs()
  for (let i = 0; i < decisions; i++) {
    const beforeMs = systemClock.monotonicMs()
    decideAndClaim(snapshot, random)
    milliseconds.push(systemClock.monotonicMs() - beforeMs)
  }
  return { hosts, milliseconds, perSecond: (decisions * 1000) / (systemClock.monotonicMs() - startMs) }
}

function decideAndClaim(snapshot: PlacementSnapshot, random: Random): void {
  const request = pick(random, flavors)
  const [best] = rank(snapshot, request, { random }).candidates
  if (best) takeOff(snapshot, best.hostId, request)
}

/** One host in fifty is disabled, one in fifty down, one in eight of another architecture. */
function mixedHost(random: Random, index: number): HostSnapshot {
  const size = pick(random, [1, 2, 4])
  const share = random.fraction()
  const capacity = { vcpus: 128 * size, memoryMiB: 131_072 * size, diskGiB: 2000 * size }
  return {
    hostId: newId<HostId>(random),
    name: `host-${index + 1}`,
    enabled: random.fraction() >= 0.02,
    up: random.fraction() >= 0.02,
    architecture: random.fraction() < 0.125 ? 'aarch64' : 'x86_64',
    capacity,
    used: {
      vcpus: Math.floor(capacity.vcpus * share),
      memoryMiB: Math.floor(capacity.memoryMiB * share),
      diskGiB: Math.floor(capacity.diskGiB * share),
    },
    overheadMiB: 128,
    serverCount: Math.floor(40 * size * share),
    fencingEpoch: 1,
  }
}
