import { assert, type HostId } from '@nubo/kernel'
import { roomLeft, type HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import { Sieve } from './sieve.js'

const leastRows = 64
/** Stands for a text that no host has: equals nothing, itself included. */
const noText = Number.NaN

/**
 * All hosts at one moment, kept as one array of numbers for each property, so that a rule looks at ten thousand hosts
 * in the time of ten thousand comparisons. A host is a row; rows are dense and move when a host is removed.
 *
 * It is built once and then kept up to date: `set` for each host that changed, `takeOff` for each claim.
 */
export class PlacementSnapshot {
  /** 1 or 0. */
  enabled = new Float64Array(leastRows)
  /** 1 or 0. */
  up = new Float64Array(leastRows)
  /** See `codeOf`. */
  architecture = new Float64Array(leastRows)
  /** See `codeOf`. */
  availabilityZone = new Float64Array(leastRows)
  /** See `roomLeft`; so are the next two. */
  freeVcpus = new Float64Array(leastRows)
  freeMemoryMiB = new Float64Array(leastRows)
  freeDiskGiB = new Float64Array(leastRows)
  serverCount = new Float64Array(leastRows)

  private readonly hosts: HostSnapshot[] = []
  private readonly rows = new Map<HostId, number>()
  private readonly codes = new Map<string, number>()
  private readonly sieve = new Sieve()

  constructor(hosts: Iterable<HostSnapshot> = []) {
    for (const host of hosts) this.set(host)
  }

  get size(): number {
    return this.hosts.length
  }

  /** The host as it stands, this snapshot's own claims included. */
  get(hostId: HostId): HostSnapshot | undefined {
    const row = this.rows.get(hostId)
    return row === undefined ? undefined : this.hosts[row]
  }

  /** Adds the host, or replaces what was known of it. */
  set(host: HostSnapshot): void {
    const row = this.rows.get(host.hostId) ?? this.addRow(host.hostId)
    this.write(row, host)
  }

  /** Forgets the host, if it is known. */
  remove(hostId: HostId): void {
    const row = this.rows.get(hostId)
    if (row === undefined) return
    const last = this.hosts.pop()!
    this.rows.delete(hostId)
    if (last.hostId === hostId) return
    this.rows.set(last.hostId, row)
    this.write(row, last)
  }

  /** The number that stands for a text of a host in a column. A text that only a request has is not kept. */
  codeOf(text: string): number {
    return this.codes.get(text) ?? noText
  }

  hostAt(row: number): HostSnapshot {
    return this.hosts[row]!
  }

  rowOf(hostId: HostId): number | undefined {
    return this.rows.get(hostId)
  }

  /** A sieve that holds every row. There is one a snapshot: it is of use until the next is asked for. */
  sieveOfAll(): Sieve {
    this.sieve.fill(this.hosts.length)
    return this.sieve
  }

  private addRow(hostId: HostId): number {
    const row = this.hosts.length
    if (row === this.enabled.length) this.grow(row * 2)
    this.rows.set(hostId, row)
    return row
  }

  private write(row: number, host: HostSnapshot): void {
    const room = roomLeft(host)
    const sum = room.vcpus + room.memoryMiB + room.diskGiB + host.serverCount
    assert(Number.isFinite(sum), `the room of the host ${host.name} is known in numbers`)
    this.hosts[row] = host
    this.enabled[row] = host.enabled ? 1 : 0
    this.up[row] = host.up ? 1 : 0
    this.architecture[row] = this.keepCode(host.architecture)
    this.availabilityZone[row] = this.keepCode(host.availabilityZone)
    this.freeVcpus[row] = room.vcpus
    this.freeMemoryMiB[row] = room.memoryMiB
    this.freeDiskGiB[row] = room.diskGiB
    this.serverCount[row] = host.serverCount
  }

  private keepCode(text: string | undefined): number {
    if (text === undefined) return noText
    if (!this.codes.has(text)) this.codes.set(text, this.codes.size)
    return this.codeOf(text)
  }

  private grow(rows: number): void {
    this.enabled = longer(this.enabled, rows)
    this.up = longer(this.up, rows)
    this.architecture = longer(this.architecture, rows)
    this.availabilityZone = longer(this.availabilityZone, rows)
    this.freeVcpus = longer(this.freeVcpus, rows)
    this.freeMemoryMiB = longer(this.freeMemoryMiB, rows)
    this.freeDiskGiB = longer(this.freeDiskGiB, rows)
    this.serverCount = longer(this.serverCount, rows)
  }
}

/**
 * Takes a claim off the snapshot, so that the next decision of the same batch does not give the room away twice.
 * The snapshot is then what a fresh read would show; a later `set` of the host replaces it.
 */
export function takeOff(hosts: PlacementSnapshot, hostId: HostId, request: PlacementRequest): void {
  const host = hosts.get(hostId)
  assert(host, `the host ${hostId} that a server was placed on is in the snapshot`)
  hosts.set({
    ...host,
    used: {
      vcpus: host.used.vcpus + request.vcpus,
      memoryMiB: host.used.memoryMiB + request.memoryMiB + host.overheadMiB,
      diskGiB: host.used.diskGiB + request.diskGiB,
    },
    serverCount: host.serverCount + 1,
  })
}

function longer(column: Float64Array<ArrayBuffer>, rows: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(rows)
  grown.set(column)
  return grown
}
