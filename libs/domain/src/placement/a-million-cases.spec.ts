import { describe, expect, it } from '@jest/globals'
import { pick, seededRandom, type Random } from '@nubo/kernel'
import type { Decision, Refusal } from './decision.js'
import type { HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import { PlacementSnapshot, takeOff } from './placement-snapshot.js'
import { rank } from './rank.js'
import { sampleHost, sampleHostId } from './sample-hosts.js'

/**
 * The scheduler beside a second one that is written without a thought of speed, on a cloud that changes under both: hosts
 * come, change and go, and servers are claimed. Whatever the two disagree in is a bug of one of them.
 */
describe('a million random cases', () => {
  it('are decided as the plain rules say', () => {
    const random = seededRandom(20_261_123)
    const hosts = new PlacementSnapshot()
    const truth = new Map<string, HostSnapshot>()
    const decided = { placed: 0, refused: 0 }
    for (let i = 0; i < 1_000_000; i++) {
      if (i % 3 === 0) changeOneHost(random, hosts, truth)
      const request = anyRequest(random)
      const decision = rank(hosts, request, { random, keep: 3 })
      const difference = whereWrong(decision, [...truth.values()], request)
      if (difference) expect({ case: i, difference, request, hosts: [...truth.values()], decision }).toBe('right')
      const best = decision.candidates[0]
      decided[best ? 'placed' : 'refused']++
      if (best && i % 5 === 0) {
        takeOff(hosts, best.hostId, request)
        truth.set(best.hostId, afterClaim(truth.get(best.hostId)!, request))
      }
    }
    // Neither answer is so rare that it went untested.
    expect(Math.min(decided.placed, decided.refused)).toBeGreaterThan(200_000)
  }, 120_000)
})

function upTo(random: Random, most: number): number {
  return Math.floor(random.fraction() * (most + 1))
}

function chance(random: Random, share: number): boolean {
  return random.fraction() < share
}

function changeOneHost(random: Random, hosts: PlacementSnapshot, truth: Map<string, HostSnapshot>): void {
  const number = 1 + upTo(random, 5)
  if (chance(random, 0.2)) {
    hosts.remove(sampleHostId(number))
    truth.delete(sampleHostId(number))
    return
  }
  const host = sampleHost(number, {
    enabled: chance(random, 0.9),
    up: chance(random, 0.9),
    architecture: pick(random, ['x86_64', 'x86_64', 'aarch64']),
    availabilityZone: pick(random, ['az1', 'az2', undefined]),
    capacity: { vcpus: upTo(random, 12), memoryMiB: upTo(random, 12), diskGiB: upTo(random, 12) },
    used: { vcpus: upTo(random, 6), memoryMiB: upTo(random, 6), diskGiB: upTo(random, 6) },
    overheadMiB: upTo(random, 1),
    serverCount: upTo(random, 6),
  })
  hosts.set(host)
  truth.set(host.hostId, host)
}

function anyRequest(random: Random): PlacementRequest {
  const request: PlacementRequest = { vcpus: upTo(random, 3), memoryMiB: upTo(random, 3), diskGiB: upTo(random, 3) }
  if (chance(random, 0.2)) request.architecture = pick(random, ['x86_64', 'aarch64', 's390x'])
  if (chance(random, 0.1)) request.availabilityZone = pick(random, ['az1', 'az2', 'az3'])
  if (chance(random, 0.1)) request.onlyHosts = [sampleHostId(1 + upTo(random, 6)), sampleHostId(1 + upTo(random, 6))]
  if (chance(random, 0.2)) {
    const number = 1 + upTo(random, 6)
    request.excludedHosts = [{ hostId: sampleHostId(number), name: `host-${number}`, why: 'tried' }]
  }
  return request
}

function afterClaim(host: HostSnapshot, request: PlacementRequest): HostSnapshot {
  const used = { ...host.used }
  used.vcpus += request.vcpus
  used.memoryMiB += request.memoryMiB + host.overheadMiB
  used.diskGiB += request.diskGiB
  return { ...host, used, serverCount: host.serverCount + 1 }
}

type Verdict = [rule: Refusal['rule'], has?: number] | undefined

/** The first rule that refuses the host, with how much it had where that is a number. */
function verdict(host: HostSnapshot, request: PlacementRequest): Verdict {
  const { capacity, used } = host
  if (!host.enabled) return ['disabled']
  if (!host.up) return ['down']
  if (request.onlyHosts && !request.onlyHosts.includes(host.hostId)) return ['notAsked']
  if (request.availabilityZone && request.availabilityZone !== host.availabilityZone) return ['availabilityZone']
  if (request.excludedHosts?.some(({ hostId }) => hostId === host.hostId)) return ['tried']
  if (request.architecture && request.architecture !== host.architecture) return ['architecture']
  if (used.vcpus + request.vcpus > capacity.vcpus) return ['vcpus', capacity.vcpus - used.vcpus]
  const freeMiB = capacity.memoryMiB - used.memoryMiB - host.overheadMiB
  if (request.memoryMiB > freeMiB) return ['memory', freeMiB]
  if (used.diskGiB + request.diskGiB > capacity.diskGiB) return ['disk', capacity.diskGiB - used.diskGiB]
  return undefined
}

/** What is wrong with a decision, in words; nothing if it is right. */
function whereWrong(decision: Decision, hosts: HostSnapshot[], request: PlacementRequest): string | undefined {
  const refused = new Map<string, { count: number; nearest: number | undefined }>()
  const accepted: HostSnapshot[] = []
  for (const host of hosts) {
    const why = verdict(host, request)
    if (!why) {
      accepted.push(host)
      continue
    }
    const [rule, has] = why
    const sofar = refused.get(rule) ?? { count: 0, nearest: has }
    refused.set(rule, { count: sofar.count + 1, nearest: has === undefined ? undefined : Math.max(has, sofar.nearest!) })
  }
  if (decision.hostCount !== hosts.length) return 'the number of hosts'
  if (decision.acceptedCount !== accepted.length) return 'the number of accepted hosts'
  if (decision.refusals.length !== refused.size) return 'the number of rules that refused'
  for (const { rule, count, nearest } of decision.refusals) {
    const expected = refused.get(rule)
    if (expected?.count !== count) return `how many hosts ${rule} refused`
    if (expected.nearest !== nearest.has) return `how near the best came to ${rule}`
    const named = hosts.find(({ hostId }) => hostId === nearest.hostId)
    const itsVerdict = named && verdict(named, request)
    if (itsVerdict?.[0] !== rule || itsVerdict[1] !== nearest.has) return `the host that came nearest to ${rule}`
  }
  return wrongOrder(decision, accepted)
}

function wrongOrder({ candidates }: Decision, accepted: HostSnapshot[]): string | undefined {
  if (candidates.length !== Math.min(3, accepted.length)) return 'the number of candidates'
  const freeMiB = (host: HostSnapshot) => host.capacity.memoryMiB - host.used.memoryMiB - host.overheadMiB
  const most = Math.max(...accepted.map(freeMiB))
  const fewest = Math.min(...accepted.map(({ serverCount }) => serverCount))
  const score = (host: HostSnapshot) => ((freeMiB(host) + 1) / (most + 1) + (fewest + 1) / (host.serverCount + 1)) / 2
  const left = new Map(accepted.map((host) => [host.hostId, score(host)]))
  for (const candidate of candidates) {
    const itsScore = left.get(candidate.hostId)
    if (itsScore === undefined) return 'a candidate that is refused or there twice'
    if (Math.abs(itsScore - candidate.score) > 0.0001) return 'a score'
    // Nothing that is left is better by more than what is left to chance.
    if (Math.max(...left.values()) > itsScore + 0.01 + 1e-9) return 'the order'
    left.delete(candidate.hostId)
  }
  return undefined
}
