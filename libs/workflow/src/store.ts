import type { HostId, OperationId, ProjectId, RequestId, ServerId, StepId, UserId } from '@nubo/kernel'
import type { Failure, PowerStateCode } from '@nubo/contract'
import type { Located, OpenStep, OperationRecord, ServerRecord, StepRecord, Wanted } from './records.js'

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
}

/**
 * The statements that operations are made of, within one transaction. Rows are locked in one order:
 * operation, server, group, host by id, quota.
 */
export interface OperationTransaction {
  /** Locks the step's operation and server. Undefined if there is no such step. */
  lockStep(stepId: StepId): Promise<Located | undefined>
  /** Locks the server's live operation, if it has one, with its open step, and the server. */
  lockServer(serverId: ServerId): Promise<{ server: ServerRecord; live: Located | undefined } | undefined>

  insertOperation(operation: NewOperation): Promise<void>
  /** Ends an operation. `message` says why, for a person; without one the message stays as it is. */
  endOperation(id: OperationId, state: 'done' | 'failed' | 'cancelled', message?: string): Promise<void>
  /** Notes why the operation is being unwound. */
  beginUnwinding(id: OperationId, failure: Failure): Promise<void>
  /** Takes up an operation again, on another host, after its steps were undone. */
  resumeOperation(id: OperationId): Promise<void>
  /** Takes the deadline off: the operation now lasts until it is done. */
  liftDeadline(id: OperationId): Promise<void>

  openStep(step: NewStep): Promise<void>
  closeStep(id: StepId, state: 'done' | 'failed' | 'revoked', result: Record<string, unknown>): Promise<void>

  setTaskState(serverId: ServerId, taskState: string | null): Promise<void>
  setWanted(serverId: ServerId, wanted: Wanted): Promise<void>
  markActive(serverId: ServerId, powerState: PowerStateCode): Promise<void>
  markStopped(serverId: ServerId, powerState: PowerStateCode): Promise<void>
  /** Ends in ERROR with a fault that the tenant sees. */
  markError(serverId: ServerId, message: string): Promise<void>
  markDeleted(serverId: ServerId): Promise<void>
  /** Frees what this incarnation holds on its host, once however often it is called, and takes the server off the host. */
  releaseRoom(serverId: ServerId, incarnation: number): Promise<void>
  /** Gives the server's share of its project's quota back. Only where the server is not marked deleted yet. */
  releaseQuota(serverId: ServerId): Promise<void>
}

/** What the workflow needs of a database; `libs/database` has it. */
export interface OperationStore {
  transaction<T>(work: (tx: OperationTransaction) => Promise<T>): Promise<T>
  /** The open steps among `ids`, with all that a command needs. */
  readOpenSteps(ids: readonly StepId[]): Promise<OpenStep[]>
  /**
   * Takes up to `limit` open steps whose hint is due, sets their next hint by backoff with jitter, and returns their ids.
   * Two callers never get the same step (FOR UPDATE SKIP LOCKED).
   */
  takeDueSteps(limit: number): Promise<StepId[]>
  /** Live operations past their deadline by PostgreSQL's clock. */
  findOverdue(limit: number): Promise<{ id: OperationId; stepId: StepId }[]>
}

export type { OperationRecord }
