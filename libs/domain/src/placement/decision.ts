import { assert, type HostId } from '@nubo/kernel'
import type { RuleCode } from './filters.js'
import type { Resources } from './host-snapshot.js'
import type { PlacementRequest } from './placement-request.js'
import type { WeigherName } from './weighers.js'

/** How many hosts one rule refused, and how near the best of them came. */
export interface Refusal {
  rule: RuleCode
  count: number
  /** How much the rule asked for, where that is a number: vCPUs, MiB or GiB. */
  needed?: number
  nearest: {
    hostId: HostId
    name: string
    /** How much of what was needed this host had: less than nothing where more is claimed than may be. */
    has?: number
    detail?: string
  }
}

/** A host that every filter accepted. */
export interface Candidate {
  hostId: HostId
  name: string
  /** The claim holds only while the host still has it. */
  fencingEpoch: number
  /** The weighed mean of `scores`. */
  score: number
  scores: Partial<Record<WeigherName, number>>
  /** The largest server that it had room for. */
  room: Resources
  serverCount: number
}

/** Where a server may go and why. Plain data, stored as it is: codes and numbers, which `explain` writes out when read. */
export interface Decision {
  version: 1
  request: PlacementRequest
  hostCount: number
  acceptedCount: number
  /** In the order of the filters; a host is counted once, so that the counts and `acceptedCount` make up `hostCount`. */
  refusals: Refusal[]
  /** The best of the accepted, best first: to be claimed in this order. */
  candidates: Candidate[]
  /** The candidate whose claim held; those before it in the list had lost their room in the meantime. */
  chosenHostId?: HostId
}

/** Notes on which of its candidates the room was claimed. */
export function choose(decision: Decision, hostId: HostId): Decision {
  assert(
    decision.candidates.some((candidate) => candidate.hostId === hostId),
    `the host ${hostId} that was chosen was a candidate`,
  )
  return { ...decision, chosenHostId: hostId }
}

/** Takes a decision back from its stored JSON. Throws CloudError 'Bug' for a version that this program does not know. */
export function decisionFromJson(stored: unknown): Decision {
  const version = (stored as { version?: unknown } | null)?.version
  assert(version === 1, `a stored placement decision has version 1, not ${String(version)}`)
  return stored as Decision
}
