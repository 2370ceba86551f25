import { PlacementSnapshot, rank, takeOff, type HostSnapshot, type PlacementRequest } from '@nubo/domain'
import { newId, pick, seededRandom, systemClock, type HostId, type Random } from '@nubo/kernel'

export interface PlacementFigures {
  hosts: number
  decisionsPerSecond: number
  p50Ms: number
  p99Ms: number
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
export async function benchPlacement(): Promise<PlacementFigures[]> {
  return [100, 1000, 10_000].map((hosts) => measure(hosts, 2000))
}

function measure(hosts: number, decisions: number): PlacementFigures {
  const random = seededRandom(hosts)
  const snapshot = new PlacementSnapshot(Array.from({ length: hosts }, (_, index) => mixedHost(random, index)))
  for (let i = 0; i < 500; i++) decideAndClaim(snapshot, random)
  const durationsMs: number[] = []
  const startMs = systemClock.monotonicMs()
  for (let i = 0; i < decisions; i++) {
    const beforeMs = systemClock.monotonicMs()
    decideAndClaim(snapshot, random)
    durationsMs.push(systemClock.monotonicMs() - beforeMs)
  }
  const tookMs = systemClock.monotonicMs() - startMs
  durationsMs.sort((a, b) => a - b)
  return {
    hosts,
    decisionsPerSecond: Math.round((decisions * 1000) / tookMs),
    p50Ms: quantile(durationsMs, 0.5),
    p99Ms: quantile(durationsMs, 0.99),
  }
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

function quantile(sorted: readonly number[], share: number): number {
  return Number(sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(4))
}
