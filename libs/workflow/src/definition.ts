import type { PowerStateCode, ServerCommandKind } from '@nubo/contract'
import type { OperationTransaction } from './store.js'
import type { Located } from './records.js'

/** What a step left behind when it was done: what an agent saw of the guest, where an agent did it. */
export interface StepResult {
  powerState?: PowerStateCode
  detail?: string
}

/** Written in the transaction that ends a step, so that both hold or neither. */
export type Effect = (tx: OperationTransaction, located: Located, result: StepResult) => Promise<void>

/** Who does a step: any scheduler, or the agent of the server's host by this command. */
export type Doer = 'scheduler' | ServerCommandKind

export interface UndoDefinition {
  /** A command to the host first, where something may lie there; absent where records alone are taken back. */
  by?: ServerCommandKind
  done: Effect
}

export interface StepDefinition {
  by: Doer
  /** Nova's task_state while the step is open. */
  taskState: string
  /** The event's name in os-instance-actions. */
  event: string
  done?: Effect
  undo?: UndoDefinition
  /** A failure is tried again on the same host until it is done: for what must not be given up. */
  persistent?: boolean
}

export interface OperationDefinition {
  kind: string
  /** The action's name in os-instance-actions. */
  action: string
  /** From the start of the operation, by PostgreSQL's clock. */
  deadlineMs: number
  /** Hosts that are tried before the operation fails for good. */
  maxAttempts: number
  steps: Record<string, StepDefinition>
  /** The server after the operation was given up; `operation.message` says why. */
  failed: Effect
  /**
   * Written when the deadline has passed and the operation goes on all the same, until it is done.
   * Absent: the operation fails then, and what may lie on a host stays held.
   */
  overdue?: Effect
}

/** Declares an operation: its steps are done in the order in which they stand, and undone in reverse. */
export function operation(kind: string, definition: Omit<OperationDefinition, 'kind'>): OperationDefinition {
  return { kind, ...definition }
}
