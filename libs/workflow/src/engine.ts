import { computeQueue, placementQueue, type Failure } from '@nubo/contract'
import {
  assert,
  newId,
  type HostId,
  type OperationId,
  type ProjectId,
  type Random,
  type RequestId,
  type StepId,
  type UserId,
} from '@nubo/kernel'
import type { Doer, OperationDefinition, StepDefinition, StepResult } from './definition.js'
import type { Direction, Located, ServerRecord } from './records.js'
import type { OperationTransaction } from './store.js'

/** Who asked for an operation. `userId` is null where the cloud itself did. */
export interface Requester {
  projectId: ProjectId
  userId: UserId | null
  requestId: RequestId
}

/** A step that was opened in a transaction: to be cast as soon as it committed. */
export type Opened = StepId | undefined

/** Hints are repeated from here on, ever more seldom. */
const firstRepeatMs = 2_000
/** A persistent step that failed waits this long, times its attempts, up to a minute. */
const retryStepMs = 3_000
const retryStepMaxMs = 60_000

/**
 * Advances operations. Each function works within the caller's transaction, commits nothing itself, and returns the step
 * that is now open: the caller casts it after the commit.
 */
export class OperationEngine {
  private readonly definitions: Map<string, OperationDefinition>

  constructor(
    definitions: readonly OperationDefinition[],
    private readonly random: Random,
  ) {
    this.definitions = new Map(definitions.map((definition) => [definition.kind, definition]))
  }

  definition(kind: string): OperationDefinition {
    const definition = this.definitions.get(kind)
    assert(definition, `operation ${kind} is declared`)
    return definition
  }

  /** Begins an operation on a server that has no live one. */
  async begin(
    tx: OperationTransaction,
    kind: string,
    server: ServerRecord,
    requester: Requester,
    input: Record<string, unknown> = {},
  ): Promise<Opened> {
    const definition = this.definition(kind)
    const id = newId<OperationId>(this.random)
    await tx.insertOperation({ id, kind, serverId: server.id, ...requester, input, deadlineMs: definition.deadlineMs })
    const first = Object.keys(definition.steps)[0]!
    return await this.open(tx, { operationId: id, server, definition, name: first, direction: 'do', attempt: 1 })
  }

  /**
   * The step at hand is done: commits its effect with the opening of the next, or ends the operation.
   * `located.server` is the server as it is now, with a host where the caller has just claimed one.
   */
  async done(tx: OperationTransaction, located: Located, result: StepResult): Promise<Opened> {
    const { operation, step } = located
    const definition = this.definition(operation.kind)
    const stepDefinition = definition.steps[step.name]
    assert(stepDefinition, `${operation.kind} has a step ${step.name}`)
    await tx.closeStep(step.id, 'done', { ...result })
    if (step.direction === 'undo') {
      await stepDefinition.undo!.done(tx, located, result)
      return await this.unwind(tx, located, definition, before(definition, step.name))
    }
    await stepDefinition.done?.(tx, located, result)
    const next = after(definition, step.name)
    if (!next) {
      await tx.endOperation(operation.id, 'done')
      return undefined
    }
    return await this.open(tx, {
      operationId: operation.id,
      server: located.server,
      definition,
      name: next,
      direction: 'do',
      attempt: step.attempt,
    })
  }

  /** The step at hand failed: it is tried again if it must be, else it and the earlier ones are undone in reverse. */
  async failed(tx: OperationTransaction, located: Located, failure: Failure): Promise<Opened> {
    const { operation, step } = located
    const definition = this.definition(operation.kind)
    const stepDefinition = definition.steps[step.name]
    assert(stepDefinition, `${operation.kind} has a step ${step.name}`)
    await tx.closeStep(step.id, failure.scope === 'superseded' ? 'revoked' : 'failed', { ...failure })
    if (step.direction === 'undo' || stepDefinition.persistent) return await this.again(tx, located, definition)
    await tx.beginUnwinding(operation.id, failure)
    const unwinding = { ...located, operation: { ...operation, message: failure.message, failureScope: failure.scope } }
    return await this.unwind(tx, unwinding, definition, step.name)
  }

  /**
   * The deadline has passed. A time-out is an unknown outcome: a command may still be carried out, so nothing is undone
   * and what may lie on the host stays held until a later command has cleared it.
   */
  async overdue(tx: OperationTransaction, located: Located, message: string): Promise<void> {
    const { operation, step } = located
    const definition = this.definition(operation.kind)
    if (definition.overdue) {
      await definition.overdue(tx, located, {})
      await tx.liftDeadline(operation.id)
      return
    }
    await tx.closeStep(step.id, 'revoked', { message })
    await definition.failed(tx, { ...located, operation: { ...operation, message } }, {})
    await tx.endOperation(operation.id, 'failed', message)
  }

  /** Ends a live operation where it stands: its open step is revoked. Only for one whose work the next operation takes over. */
  async cancel(tx: OperationTransaction, live: Located, message: string): Promise<void> {
    await tx.closeStep(live.step.id, 'revoked', { message })
    await tx.endOperation(live.operation.id, 'cancelled', message)
  }

  /** Undoes `from` and every step before it. Stops where an undo must be done by a host, and goes on when that is done. */
  private async unwind(
    tx: OperationTransaction,
    located: Located,
    definition: OperationDefinition,
    from: string | undefined,
  ): Promise<Opened> {
    for (let name = from; name; name = before(definition, name)) {
      const undo = definition.steps[name]!.undo
      if (!undo) continue
      if (undo.by && located.server.hostId) return await this.openUndo(tx, located, definition, name)
      await undo.done(tx, located, {})
    }
    return await this.settle(tx, located, definition)
  }

  /** Everything is undone: another host is tried, or the operation has failed. */
  private async settle(tx: OperationTransaction, located: Located, definition: OperationDefinition): Promise<Opened> {
    const { operation, step, server } = located
    const first = Object.keys(definition.steps)[0]!
    const elsewhere = operation.failureScope === 'host' && definition.steps[first]!.by === 'scheduler'
    if (elsewhere && step.attempt < definition.maxAttempts) {
      await tx.resumeOperation(operation.id)
      const attempt = step.attempt + 1
      return await this.open(tx, { operationId: operation.id, server, definition, name: first, direction: 'do', attempt })
    }
    await definition.failed(tx, located, {})
    await tx.endOperation(operation.id, 'failed')
    return undefined
  }

  private async again(tx: OperationTransaction, located: Located, definition: OperationDefinition): Promise<Opened> {
    const { operation, step, server } = located
    const attempt = step.attempt + 1
    const hintAfterMs = Math.min(retryStepMs * step.attempt, retryStepMaxMs)
    await this.open(tx, {
      operationId: operation.id,
      server,
      definition,
      name: step.name,
      direction: step.direction,
      attempt,
      hintAfterMs,
    })
    // Not to be cast now: the sweeper does, once the wait is over.
    return undefined
  }

  private async openUndo(
    tx: OperationTransaction,
    located: Located,
    definition: OperationDefinition,
    name: string,
  ): Promise<Opened> {
    const { operation, server, step } = located
    return await this.open(tx, { operationId: operation.id, server, definition, name, direction: 'undo', attempt: step.attempt })
  }

  private async open(tx: OperationTransaction, opening: Opening): Promise<StepId> {
    const { definition, name, direction, server } = opening
    const stepDefinition = definition.steps[name]!
    const by = doerOf(stepDefinition, direction)
    const id = newId<StepId>(this.random)
    const onHost = by !== 'scheduler'
    assert(!onHost || server.hostId, `${definition.kind}: ${name} has a host to go to`)
    await tx.openStep({
      id,
      operationId: opening.operationId,
      serverId: server.id,
      name,
      direction,
      queue: onHost ? computeQueue(server.hostId as HostId) : placementQueue,
      hostId: onHost ? server.hostId : null,
      raiseFence: onHost,
      taskState: direction === 'do' ? stepDefinition.taskState : undefined,
      attempt: opening.attempt,
      hintAfterMs: opening.hintAfterMs ?? firstRepeatMs,
    })
    return id
  }
}

interface Opening {
  operationId: OperationId
  server: ServerRecord
  definition: OperationDefinition
  name: string
  direction: Direction
  attempt: number
  hintAfterMs?: number
}

/** Who does a step, or its undo. */
export function doerOf(step: StepDefinition, direction: Direction): Doer {
  if (direction === 'do') return step.by
  assert(step.undo?.by, 'only an undo that a host does is a step of its own')
  return step.undo.by
}

function after(definition: OperationDefinition, name: string): string | undefined {
  const names = Object.keys(definition.steps)
  return names[names.indexOf(name) + 1]
}

function before(definition: OperationDefinition, name: string): string | undefined {
  const names = Object.keys(definition.steps)
  return names[names.indexOf(name) - 1]
}
