import type { HostId, OperationId, PortId, ProjectId, RouterId, ServerId, StepId } from '@nubo/kernel'
import { findingKinds, type FindingCode, type PromiseNumber } from './finding-kinds.js'

/** What a finding is about: as much of it as is known. */
export interface FindingSubject {
  serverId?: ServerId
  incarnation?: number
  hostId?: HostId
  hostName?: string
  operationId?: OperationId
  stepId?: StepId
  projectId?: ProjectId
  portId?: PortId
  routerId?: RouterId
  queue?: string
}

/** A promise that does not hold, where, and what is to be done about it. */
export interface Finding {
  promise: PromiseNumber
  code: FindingCode
  about: FindingSubject
  /** For a person: what is wrong. */
  message: string
  /** Since when it is so, as far as the records tell. */
  since: Date | null
  repair: {
    /** `nubo doctor --repair` may mend it. */
    possible: boolean
    /** For a person: what the repair does, or what is to be done by hand. */
    how: string
  }
  /** The figures that were found: a repair is written against these, and does nothing where they have changed. */
  found: Readonly<Record<string, unknown>>
}

export interface FindingDetails {
  about: FindingSubject
  message: string
  since?: Date | null
  found?: Record<string, unknown>
}

export function finding(code: FindingCode, { about, message, since = null, found = {} }: FindingDetails): Finding {
  const { promise, mendable, how } = findingKinds[code]
  return { promise, code, about, message, since, repair: { possible: mendable, how }, found }
}

/** Tells findings of one examination from each other, and finds them again in the next one. */
export function findingKey({ code, about }: Finding): string {
  const { serverId, incarnation, hostId, operationId, stepId, projectId, portId, routerId, queue } = about
  return [code, serverId, incarnation, hostId, operationId, stepId, projectId, portId, routerId, queue].join('|')
}
