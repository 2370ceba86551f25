import type { HostSnapshot } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import type { PlacementSnapshot } from './placement-snapshot.js'
import type { Test } from './sieve.js'

/** Names a rule in stored decisions: to rename one is to change their version. */
export type RuleCode =
  | 'disabled'
  | 'down'
  | 'notAsked'
  | 'availabilityZone'
  | 'tried'
  | 'architecture'
  | 'vcpus'
  | 'memory'
  | 'disk'

/** A rule that every host must pass. */
export interface Filter {
  /** The reason that a refused host is counted under. */
  readonly rule: RuleCode
  /** What `request` asks of each host by this rule; undefined if nothing. */
  readonly test: (hosts: PlacementSnapshot, request: PlacementRequest) => Test | undefined
  /** What to say of a refused host where a number does not say it. */
  readonly detail?: (host: HostSnapshot, request: PlacementRequest) => string | undefined
}

/** Refuses hosts that an administrator has disabled. */
export const isEnabled: Filter = {
  rule: 'disabled',
  test: (hosts) => equal(hosts.enabled, 1),
  detail: (host) => host.disabledReason,
}

/** Refuses hosts that were not heard of in time. */
export const isUp: Filter = {
  rule: 'down',
  test: (hosts) => equal(hosts.up, 1),
}

/** Refuses hosts other than those that the request names. */
export const isAskedFor: Filter = {
  rule: 'notAsked',
  test(hosts, { onlyHosts }) {
    if (!onlyHosts) return undefined
    const asked = new Set(onlyHosts.map((hostId) => hosts.rowOf(hostId)))
    return each((row) => asked.has(row))
  },
}

/** Refuses hosts outside the availability zone, if one is asked for. */
export const isInZone: Filter = {
  rule: 'availabilityZone',
  test: (hosts, { availabilityZone }) =>
    availabilityZone === undefined ? undefined : equal(hosts.availabilityZone, hosts.codeOf(availabilityZone)),
  detail: (host) => host.availabilityZone,
}

/** Refuses hosts that were tried for this server already. */
export const isUntried: Filter = {
  rule: 'tried',
  test(hosts, { excludedHosts }) {
    if (!excludedHosts?.length) return undefined
    const tried = new Set(excludedHosts.map(({ hostId }) => hosts.rowOf(hostId)))
    return each((row) => !tried.has(row))
  },
}

/** Refuses hosts that do not run guests of this architecture, if one is asked for. */
export const hasArchitecture: Filter = {
  rule: 'architecture',
  test: (hosts, { architecture }) =>
    architecture === undefined ? undefined : equal(hosts.architecture, hosts.codeOf(architecture)),
  detail: (host) => host.architecture,
}

/** Refuses hosts with fewer vCPUs left, the allocation ratio considered. */
export const hasVcpus: Filter = {
  rule: 'vcpus',
  test: (hosts, request) => atLeast(hosts.freeVcpus, request.vcpus),
}

/** Refuses hosts with less memory left for a guest, what the hypervisor needs for it put aside. */
export const hasMemory: Filter = {
  rule: 'memory',
  test: (hosts, request) => atLeast(hosts.freeMemoryMiB, request.memoryMiB),
}

/** Refuses hosts with less disk left. */
export const hasDisk: Filter = {
  rule: 'disk',
  test: (hosts, request) => atLeast(hosts.freeDiskGiB, request.diskGiB),
}

/**
 * In the order in which they are asked: a host is counted under the first that refuses it. What an operator can change
 * in a moment comes first, room last, so that 'most free' speaks of hosts that only lacked room.
 */
export const defaultFilters: readonly Filter[] = [
  isEnabled,
  isUp,
  isAskedFor,
  isInZone,
  isUntried,
  hasArchitecture,
  hasVcpus,
  hasMemory,
  hasDisk,
]

function atLeast(column: Float64Array, needed: number): Test {
  return { kind: 'atLeast', column, needed }
}

function equal(column: Float64Array, value: number): Test {
  return { kind: 'equal', column, value }
}

function each(accepts: (row: number) => boolean): Test {
  return { kind: 'each', accepts }
}
