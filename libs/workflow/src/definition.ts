import type { ServerCommandKind } from '@nubo/contract'
import type { Located, StepResult, Wanted } from './records.js'
import type { OperationTransaction } from './store.js'

/** Written in the transaction that ends a step, so that both hold or neither. */
export type Effect = (tx: OperationTransaction, located: Located, result: StepResult) => Promise<void>

/** Who does a step: any scheduler, or the agent of the server's host by this command. */
export type Doer = 'scheduler' | ServerCommandKind

export interface UndoDefinition {
  /** A command to the host first, where something may lie there; absent where records alone are taken back. */
  by?: ServerCommandKind
  done: Effect
}

interface StepCommon {
  by: Doer
  /** Nova's task_state while the step is open; absent where the server goes on as it is. */
  taskState?: string
  /** The event's name in os-instance-actions. */
  event: string
  done?: Effect
  /** A failure is tried again on the same host until it is done: for what must not be given up. */
  persistent?: boolean
}

/** A step is taken back, or says why it is not. */
export type StepDefinition = StepCommon & ({ undo: UndoDefinition; noUndo?: never } | { undo?: never; noUndo: string })

export interface OperationDefinition {
  kind: string
  /** The action's name in os-instance-actions. */
  action: string
  /** What whoever asks for it wants of the server from then on; absent where that stays as it is. */
  wanted?: Wanted
  /** From the start of the operation, by PostgreSQL's clock, in time in which it could be reached. */
  deadlineMs: number
  /** Hosts that are tried before the operation fails for good. */
  maxAttempts: number
  steps: Record<string, StepDefinition>
  /** The server after the operation failed and was undone; `operation.message` says why. */
  failed: Effect
  /**
   * Written when the deadline has passed and the operation goes on all the same, until it is done.
   * Absent: the operation is given up then.
   */
  overdue?: Effect
  /** The server after the operation was given up at its deadline. Absent: it becomes ERROR, with what is known of it. */
  givenUp?: Effect
}

/** Declares an operation: its steps are done in the order in which they stand, and undone in reverse. */
export function operation(kind: string, definition: Omit<OperationDefinition, 'kind'>): OperationDefinition {
  return { kind, ...definition }
}

export function firstStepOf(definition: OperationDefinition): string {
  return Object.keys(definition.steps)[0]!
}

export function stepAfter(definition: OperationDefinition, name: string): string | undefined {
  const names = Object.keys(definition.steps)
  return names[names.indexOf(name) + 1]
}

export function stepBefore(definition: OperationDefinition, name: string): string | undefined {
  const names = Object.keys(definition.steps)
  return names[names.indexOf(name) - 1]
}
