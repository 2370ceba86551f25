import { assert, type HostId } from '@nubo/kernel'

/** What servers take of a host, in whole vCPUs, MiB and GiB. */
export interface Resources {
  vcpus: number
  memoryMiB: number
  diskGiB: number
}

/** One host as the scheduler sees it. Plain data: a row of the database, or a case that a test made up. */
export interface HostSnapshot {
  hostId: HostId
  name: string
  /** The administrator's word: may it take new servers? */
  enabled: boolean
  disabledReason?: string
  /** Was it heard of lately enough? */
  up: boolean
  architecture: string
  availabilityZone?: string
  /** What may be given away in all: the number that the claim is checked against. See `capacityOf`. */
  capacity: Resources
  /** What is given away, `overheadMiB` for each guest included. */
  used: Resources
  /** What the hypervisor needs for each guest beside the guest's own memory. */
  overheadMiB: number
  serverCount: number
  /** The claim is conditional on it: it rises when the host was fenced. */
  fencingEpoch: number
}

/** How often each unit of a host may be given away; 1 gives away no more than there is. */
export interface AllocationRatios {
  vcpus: number
  memory: number
  disk: number
}

/**
 * What a host may give away: (total - reserved) x ratio, as OpenStack's placement reckons it
 * (`used + amount <= (total - reserved) * allocation_ratio`), rounded down to whole units and never negative.
 */
export function capacityOf(total: Resources, reserved: Resources, ratios: AllocationRatios): Resources {
  return {
    vcpus: wholeUnits((total.vcpus - reserved.vcpus) * ratios.vcpus),
    memoryMiB: wholeUnits((total.memoryMiB - reserved.memoryMiB) * ratios.memory),
    diskGiB: wholeUnits((total.diskGiB - reserved.diskGiB) * ratios.disk),
  }
}

/** The largest server that `host` has room for. Negative where more was given away than may be, as after a ratio was lowered. */
export function roomLeft({ capacity, used, overheadMiB }: HostSnapshot): Resources {
  return {
    vcpus: capacity.vcpus - used.vcpus,
    memoryMiB: capacity.memoryMiB - used.memoryMiB - overheadMiB,
    diskGiB: capacity.diskGiB - used.diskGiB,
  }
}

/** Rounds down, but not below a whole number that floating point missed by a hair: 100 x 1.15 is 115. */
function wholeUnits(amount: number): number {
  assert(Number.isFinite(amount), 'what a host has, what it keeps for itself and its ratios are finite numbers')
  return Math.max(0, Math.floor(amount + 1e-6))
}
