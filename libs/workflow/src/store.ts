import type { HostId, OperationId, PortId, ProjectId, RequestId, ServerId, StepId, UserId } from '@nubo/kernel'
import type { Failure, PowerStateCode } from '@nubo/contract'
import type { Located, OpenStep, OperationRecord, ServerRecord, StepRecord, StepResult, Wanted } from './records.js'

export interface NewOperation {
  id: OperationId
  kind: string
  serverId: ServerId
  projectId: ProjectId
  userId: UserId | null
  requestId: RequestId
  input: Record<string, unknown>
  deadlineMs: number
}

export interface NewStep {
  id: StepId
  operationId: OperationId
  serverId: ServerId
  name: string
  direction: StepRecord['direction']
  /** The queue that its hints go to. */
  queue: string
  hostId: HostId | null
  /** Raises the server's fence and stamps the step with it: for every command to a host. */
  raiseFence: boolean
  /** The server's task_state from now on; undefined leaves it. */
  taskState: string | undefined
  attempt: number
  /** Until the first repeated hint; longer for a step that is not to be hinted at right away. */
  hintAfterMs: number
  /** What is wanted of the server from now on; absent leaves it. */
  wanted?: Wanted
}

/** How an open step ended. */
export interface ClosedStep {
  id: StepId
  state: 'done' | 'failed' | 'revoked'
  result: Record<string, unknown>
}

/** How an operation ended. `message` says why, for a person; without one the message stays as it is. */
export interface OperationEnd {
  state: 'done' | 'failed' | 'cancelled'
  message?: string
}

/** What is known of a guest's power, and the report that it is from; without one it is from no report. */
export interface SeenPower {
  powerState: PowerStateCode
  report?: StepResult['report']
}

/** What was seen of a guest's power when a command had ended. */
export type SeenWithResult = Required<SeenPower>

/**
 * The statements that operations are made of, within one transaction. Rows are locked in one order:
 * operation, server, group, host by id, quota.
 */
export interface OperationTransaction {
  /** Locks the step, its operation and its server, and reads them as they are under the lock. Undefined if there is no such step. */
  lockStep(stepId: StepId): Promise<Located | undefined>
  /** Locks the server's live operation, if it has one, and the server. */
  lockServer(serverId: ServerId): Promise<{ server: ServerRecord; live: Located | undefined } | undefined>

  /** Writes down an operation and opens its first step, in one statement. */
  beginOperation(operation: NewOperation, first: NewStep): Promise<void>
  /** Notes why the operation is being unwound. */
  beginUnwinding(id: OperationId, failure: Failure): Promise<void>
  /** Takes up an operation again, on another host, after its steps were undone. */
  resumeOperation(id: OperationId): Promise<void>
  /** Takes the deadline off: the operation now lasts until it is done. */
  liftDeadline(id: OperationId): Promise<void>

  /** Closes the open step of an operation and opens its next, in one statement. */
  advanceStep(closed: ClosedStep, next: NewStep): Promise<void>
  /** Closes the open step of an operation and ends it, in one statement. */
  finishOperation(closed: ClosedStep, end: OperationEnd): Promise<void>

  setWanted(serverId: ServerId, wanted: Wanted): Promise<void>
  /** At rest; what runs is wanted to run from now on. What was seen of it after the report stands. */
  markActive(serverId: ServerId, seen: SeenPower): Promise<void>
  markStopped(serverId: ServerId, seen: SeenPower): Promise<void>
  /** Notes what was seen of it, unless something later is known, and returns its power state by all that is known. */
  recordSeen(serverId: ServerId, seen: SeenWithResult): Promise<PowerStateCode>
  /** What was asked for did not come about: idle; what runs is wanted to run. */
  leaveAsItIs(serverId: ServerId): Promise<void>
  /** Ends in ERROR with a fault that the tenant sees. */
  markError(serverId: ServerId, message: string): Promise<void>
  /** And gives the server's share of its project's quota back, once however often it is called. */
  markDeleted(serverId: ServerId): Promise<void>
  /** Frees what this incarnation holds on its host, once however often it is called, and takes the server off the host. */
  releaseRoom(serverId: ServerId, incarnation: number): Promise<void>
  /**
   * Frees the ports of a server of which nothing lies on any host any more: those that were made for it are deleted, with their
   * addresses, and the tenant's own may be used elsewhere. What is freed is freed once.
   */
  releasePorts(serverId: ServerId): Promise<void>
  /**
   * The server is gone for its tenant, and something of it may lie on its host: with it go the ports that were made for it,
   * whose addresses stay held until the host carries them no more.
   */
  giveUpPorts(serverId: ServerId): Promise<void>
  /** Frees one port, which is out of its guest: as `releasePorts` does. */
  releasePort(serverId: ServerId, portId: PortId): Promise<void>
}

/** An open step whose hint is due, and the queue that it goes to. */
export interface DueStep {
  id: StepId
  queue: string
}

/** What the workflow needs of a database; `libs/database` has it. */
export interface OperationStore {
  transaction<T>(work: (tx: OperationTransaction) => Promise<T>): Promise<T>
  /** The open steps among `ids`, with all that a command needs. */
  readOpenSteps(ids: readonly StepId[]): Promise<OpenStep[]>
  /**
   * Takes up to `limit` open steps whose hint is due, and sets their next hint by backoff with jitter.
   * Two callers never get the same step (FOR UPDATE SKIP LOCKED).
   */
  takeDueSteps(limit: number): Promise<DueStep[]>
  /** Makes steps due again shortly that were taken and could not be cast: their backoff does not grow. */
  giveBackSteps(ids: readonly StepId[]): Promise<void>
}

export type { OperationRecord }
