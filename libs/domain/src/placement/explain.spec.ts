import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '@nubo/kernel'
import { choose, decisionFromJson, type Decision } from './decision.js'
import { explain, faultMessage } from './explain.js'
import type { HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import { PlacementSnapshot } from './placement-snapshot.js'
import { rank } from './rank.js'
import { sampleHost, sampleHostId } from './sample-hosts.js'

function decide(hosts: HostSnapshot[], request: PlacementRequest): Decision {
  return rank(new PlacementSnapshot(hosts), request, { random: seededRandom(1) })
}

const withMemory = (number: number, memoryMiB: number) => sampleHost(number, { capacity: { vcpus: 16, memoryMiB, diskGiB: 500 } })
const disabled = { enabled: false, disabledReason: 'waits for a new disk' }
const medium: PlacementRequest = { vcpus: 2, memoryMiB: 2048, diskGiB: 20 }

describe('faultMessage', () => {
  it('says how many hosts each rule refused and how near the best came', () => {
    const hosts = [withMemory(1, 1000), sampleHost(2, disabled), withMemory(3, 1500), withMemory(4, 900), sampleHost(5, disabled)]
    expect(faultMessage(decide(hosts, medium))).toBe(
      'No valid host was found. Of 5 hosts, 2 disabled, 3 lacked memory (needed 2048 MiB, most free 1500 MiB on host-3).',
    )
  })

  it('names no host where it is not to', () => {
    const hosts = [withMemory(1, 1500), sampleHost(2, disabled), sampleHost(3)]
    const request = {
      ...medium,
      excludedHosts: [{ hostId: sampleHostId(3), name: 'host-3', why: 'the image could not be fetched' }],
    }
    expect(faultMessage(decide(hosts, request), { nameHosts: false })).toBe(
      'No valid host was found. Of 3 hosts, 1 disabled, 1 tried already (the image could not be fetched), 1 lacked memory (needed 2048 MiB, most free 1500 MiB).',
    )
  })

  it.each<[string, HostSnapshot[], Partial<PlacementRequest>, string]>([
    ['no hosts', [], {}, 'There are no hosts.'],
    ['down', [sampleHost(1, { up: false })], {}, 'Of 1 host, 1 down.'],
    ['vCPUs', [sampleHost(1)], { vcpus: 32 }, 'Of 1 host, 1 lacked vCPUs (needed 32 vCPUs, most free 16 vCPUs on host-1).'],
    ['disk', [sampleHost(1)], { diskGiB: 501 }, 'Of 1 host, 1 lacked disk (needed 501 GiB, most free 500 GiB on host-1).'],
    [
      'architecture',
      [sampleHost(1)],
      { architecture: 'aarch64' },
      'Of 1 host, 1 of another architecture (needed aarch64, found x86_64 on host-1).',
    ],
    ['zone', [sampleHost(1)], { availabilityZone: 'az1' }, 'Of 1 host, 1 in another availability zone (needed az1).'],
    ['not asked for', [sampleHost(1)], { onlyHosts: [sampleHostId(2)] }, 'Of 1 host, 1 not among the hosts asked for.'],
    [
      'tried already',
      [sampleHost(1), sampleHost(2)],
      {
        excludedHosts: [
          { hostId: sampleHostId(1), name: 'host-1', why: 'the image could not be fetched' },
          { hostId: sampleHostId(2), name: 'host-2', why: 'QEMU did not start' },
        ],
      },
      'Of 2 hosts, 2 tried already (host-1: the image could not be fetched; host-2: QEMU did not start).',
    ],
  ])('speaks of %s', (_, hosts, request, expected) => {
    expect(faultMessage(decide(hosts, { ...medium, ...request }))).toBe(`No valid host was found. ${expected}`)
  })

  it('shows nothing free where more was given away than may be', () => {
    const host = sampleHost(1, { used: { vcpus: 20, memoryMiB: 0, diskGiB: 0 } })
    expect(faultMessage(decide([host], medium))).toContain('most free 0 vCPUs')
  })

  it('refuses to speak of no valid host where there was one', () => {
    expect(() => faultMessage(decide([sampleHost(1)], medium))).toThrow(/accepts no host/)
  })
})

describe('explain', () => {
  const hosts = [
    sampleHost(1, { serverCount: 1, used: { vcpus: 2, memoryMiB: 2048, diskGiB: 20 } }),
    sampleHost(2),
    withMemory(3, 1500),
    sampleHost(4, disabled),
    sampleHost(5, { up: false }),
    sampleHost(6, { up: false }),
  ]

  it('says what was asked for, who was ranked how, and who was refused why', () => {
    const decision = choose(decide(hosts, { ...medium, architecture: 'x86_64' }), sampleHostId(1))
    expect(explain(decision)).toEqual([
      'Asked for 2 vCPUs, 2048 MiB of memory, 20 GiB of disk, architecture x86_64.',
      'Of 6 hosts, 2 fit; placed on host-1; 1 ranked higher had lost the room by then.',
      '  1. host-2: score 1 (freeMemory 1, spread 1); 16 vCPUs, 32768 MiB, 500 GiB free; 0 servers',
      '  2. host-1: score 0.7188 (freeMemory 0.9375, spread 0.5); 14 vCPUs, 30720 MiB, 480 GiB free; 1 server, chosen',
      'Refused:',
      '  1 host disabled (host-4: waits for a new disk)',
      '  2 hosts down (host-5 among them)',
      '  1 host lacked memory (needed 2048 MiB, most free 1500 MiB on host-3)',
    ])
  })

  it('names no host where it is not to', () => {
    const decision = choose(decide(hosts, { ...medium, availabilityZone: undefined }), sampleHostId(2))
    const lines = explain(decision, { nameHosts: false })
    expect(lines.join('\n')).not.toMatch(/host-\d|new disk/)
    expect(lines[1]).toBe('Of 6 hosts, 2 fit; placed on number 1.')
    expect(lines[2]).toMatch(/^ {2}1\. host number 1: score 1 .*, chosen$/)
  })

  it('counts what it does not list', () => {
    const many = Array.from({ length: 25 }, (_, index) => sampleHost(index + 1))
    const lines = explain(decide(many, { ...medium, availabilityZone: undefined }))
    expect(lines[1]).toBe('Of 25 hosts, 25 fit.')
    expect(lines.at(-1)).toBe('  and 5 more, ranked lower')
    expect(lines).toHaveLength(23)
  })
})

describe('a stored decision', () => {
  const decision = decide([sampleHost(1), withMemory(2, 10), sampleHost(3, disabled)], medium)

  it('is the same after JSON', () => {
    expect(decisionFromJson(JSON.parse(JSON.stringify(decision)))).toEqual(decision)
    expect(explain(decisionFromJson(JSON.parse(JSON.stringify(decision))))).toEqual(explain(decision))
  })

  it('is small, whatever the number of hosts', () => {
    const many = Array.from({ length: 1000 }, (_, index) => sampleHost(index + 1))
    expect(JSON.stringify(decide(many, medium)).length).toBeLessThan(6000)
  })

  it.each([null, undefined, 'text', {}, { version: 2 }])('of another version is refused: %j', (stored) => {
    expect(() => decisionFromJson(stored)).toThrow(/version 1/)
  })

  it('was made on one of its candidates', () => {
    expect(choose(decision, sampleHostId(1)).chosenHostId).toBe(sampleHostId(1))
    expect(() => choose(decision, sampleHostId(2))).toThrow(/was a candidate/)
  })
})
