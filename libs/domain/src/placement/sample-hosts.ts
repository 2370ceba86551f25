import type { HostId } from '@nubo/kernel'
import type { HostSnapshot } from './host-snapshot.js'

/** An id that tells its number: for tests. */
export function sampleHostId(number: number): HostId {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as HostId
}

/** host-<number> with 16 vCPUs, 32 GiB of memory and 500 GiB of disk, all free, unless `differences` says otherwise: for tests. */
export function sampleHost(number: number, differences: Partial<HostSnapshot> = {}): HostSnapshot {
  return {
    hostId: sampleHostId(number),
    name: `host-${number}`,
    enabled: true,
    up: true,
    architecture: 'x86_64',
    capacity: { vcpus: 16, memoryMiB: 32_768, diskGiB: 500 },
    used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
    overheadMiB: 0,
    serverCount: 0,
    fencingEpoch: 1,
    ...differences,
  }
}
