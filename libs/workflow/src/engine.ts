import { computeQueue, placementQueue, type Failure } from '@nubo/contract'
import {
  assert,
  newId,
  type OperationId,
  type ProjectId,
  type Random,
  type RequestId,
  type StepId,
  type UserId,
} from '@nubo/kernel'
import { firstStepOf, stepAfter, stepBefore, type Doer, type OperationDefinition, type StepDefinition } from './definition.js'
import { overdueMessage } from './overdue-message.js'
import type { Direction, Located, ServerRecord, StepResult } from './records.js'
import type { ClosedStep, NewStep, OperationTransaction } from './store.js'

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
/** A step that is tried again on its host waits this long, times its attempts, up to a minute. */
const retryStepMs = 3_000
const retryStepMaxMs = 60_000

/**
 * Advances operations. Each function works within the caller's transaction, on rows that the caller has locked, commits
 * nothing itself, and returns the step that is now open: the caller casts it after the commit.
 */
export class OperationEngine {
  private readonly definitions: Map<string, OperationDefinition>

  constructor(
    definitions: readonly OperationDefinition[],
    private readonly random: Random,
  ) {
    this.definitions = new Map(definitions.map((definition) => [definition.kind, definition]))
  }

  /** False for what was noted as done and is no operation of steps. */
  knows(kind: string): boolean {
    return this.definitions.has(kind)
  }

  definition(kind: string): OperationDefinition {
    const definition = this.definitions.get(kind)
    assert(definition, `operation ${kind} is declared`)
    return definition
  }

  /** Begins an operation on a server that has no live one, and writes down what is wanted of the server now. */
  async begin(
    tx: OperationTransaction,
    kind: string,
    server: ServerRecord,
    requester: Requester,
    input: Record<string, unknown> = {},
  ): Promise<Opened> {
    const definition = this.definition(kind)
    const id = newId<OperationId>(this.random)
    const { deadlineMs, wanted } = definition
    const name = firstStepOf(definition)
    const step = this.newStep({ operationId: id, server, definition, name, direction: 'do', attempt: 1 })
    const operation = { id, kind, serverId: server.id, ...requester, input, deadlineMs }
    await tx.beginOperation(operation, { ...step, ...(wanted && { wanted }) })
    return step.id
  }

  /**
   * The step at hand is done: commits its effect with the opening of the next, or ends the operation.
   * `located.server` is the server as it is now, with a host where the caller has just claimed one.
   */
  async done(tx: OperationTransaction, located: Located, result: StepResult): Promise<Opened> {
    const { operation, step, server } = located
    const { definition, stepDefinition } = this.definitionOf(located)
    const { powerState, detail } = result
    const closed: ClosedStep = { id: step.id, state: 'done', result: { powerState, detail } }
    if (step.direction === 'undo') {
      await stepDefinition.undo!.done(tx, located, result)
      return await this.unwind(tx, located, closed, stepBefore(definition, step.name))
    }
    await stepDefinition.done?.(tx, located, result)
    const name = stepAfter(definition, step.name)
    if (!name) {
      await tx.finishOperation(closed, { state: 'done' })
      return undefined
    }
    const { attempt } = step
    return await this.advance(tx, closed, { operationId: operation.id, server, definition, name, direction: 'do', attempt })
  }

  /**
   * The step at hand failed: it is tried again if it must be, else it and the earlier ones are undone in reverse.
   * `located.server` is the server as its host saw it after the failure.
   */
  async failed(tx: OperationTransaction, located: Located, failure: Failure): Promise<Opened> {
    const { operation, step } = located
    const { definition, stepDefinition } = this.definitionOf(located)
    const closed: ClosedStep = {
      id: step.id,
      state: failure.scope === 'superseded' ? 'revoked' : 'failed',
      result: { ...failure },
    }
    if (step.direction === 'undo' || stepDefinition.persistent) return await this.again(tx, located, closed, definition)
    await tx.beginUnwinding(operation.id, failure)
    const unwinding = { ...located, operation: { ...operation, message: failure.message, failureScope: failure.scope } }
    return await this.unwind(tx, unwinding, closed, step.name)
  }

  /**
   * The deadline has passed. A time-out is an unknown outcome: a command may still be carried out, so nothing is undone
   * and what may lie on the host stays held until a later command has cleared it.
   */
  async overdue(tx: OperationTransaction, located: Located): Promise<void> {
    const { operation, step, server } = located
    const { definition } = this.definitionOf(located)
    if (definition.overdue) {
      await definition.overdue(tx, located, {})
      await tx.liftDeadline(operation.id)
      return
    }
    const message = overdueMessage(located)
    if (definition.givenUp) await definition.givenUp(tx, located, {})
    else await tx.markError(server.id, message)
    await tx.finishOperation({ id: step.id, state: 'revoked', result: { message } }, { state: 'failed', message })
  }

  /** Ends a live operation where it stands: its open step is revoked. Only for one whose work the next operation takes over. */
  async cancel(tx: OperationTransaction, { step }: Located, message: string): Promise<void> {
    await tx.finishOperation({ id: step.id, state: 'revoked', result: { message } }, { state: 'cancelled', message })
  }

  /** Undoes `from` and every step before it. Stops where an undo must be done by a host, and goes on when that is done. */
  private async unwind(
    tx: OperationTransaction,
    located: Located,
    closed: ClosedStep,
    from: string | undefined,
  ): Promise<Opened> {
    const { operation, server, step } = located
    const { definition } = this.definitionOf(located)
    for (let name = from; name; name = stepBefore(definition, name)) {
      const { undo } = definition.steps[name]!
      if (!undo) continue
      if (undo.by && server.hostId) {
        const { attempt } = step
        return await this.advance(tx, closed, { operationId: operation.id, server, definition, name, direction: 'undo', attempt })
      }
      await undo.done(tx, located, {})
    }
    return await this.settle(tx, located, closed, definition)
  }

  /** Everything is undone: another host is tried, or the operation has failed. */
  private async settle(
    tx: OperationTransaction,
    located: Located,
    closed: ClosedStep,
    definition: OperationDefinition,
  ): Promise<Opened> {
    const { operation, step, server } = located
    const name = firstStepOf(definition)
    const elsewhere = operation.failureScope === 'host' && definition.steps[name]!.by === 'scheduler'
    if (elsewhere && step.attempt < definition.maxAttempts) {
      await tx.resumeOperation(operation.id)
      const attempt = step.attempt + 1
      return await this.advance(tx, closed, { operationId: operation.id, server, definition, name, direction: 'do', attempt })
    }
    await definition.failed(tx, located, {})
    await tx.finishOperation(closed, { state: 'failed' })
    return undefined
  }

  /** The same again on the same host, after a wait, under a new fence. */
  private async again(
    tx: OperationTransaction,
    { operation, step, server }: Located,
    closed: ClosedStep,
    definition: OperationDefinition,
  ): Promise<Opened> {
    const { name, direction } = step
    const hintAfterMs = Math.min(retryStepMs * step.attempt, retryStepMaxMs)
    const attempt = step.attempt + 1
    await this.advance(tx, closed, { operationId: operation.id, server, definition, name, direction, attempt, hintAfterMs })
    // Not to be cast now: the sweeper does, once the wait is over.
    return undefined
  }

  private async advance(tx: OperationTransaction, closed: ClosedStep, opening: Opening): Promise<StepId> {
    const step = this.newStep(opening)
    await tx.advanceStep(closed, step)
    return step.id
  }

  private newStep(opening: Opening): NewStep {
    const { operationId, definition, name, direction, server, attempt, hintAfterMs = firstRepeatMs } = opening
    const stepDefinition = definition.steps[name]!
    const onHost = doerOf(stepDefinition, direction) !== 'scheduler'
    const hostId = onHost ? server.hostId : null
    assert(hostId || !onHost, `${definition.kind}: ${name} has a host to go to`)
    return {
      id: newId<StepId>(this.random),
      operationId,
      serverId: server.id,
      name,
      direction,
      queue: hostId ? computeQueue(hostId) : placementQueue,
      hostId,
      raiseFence: onHost,
      taskState: direction === 'do' ? stepDefinition.taskState : undefined,
      attempt,
      hintAfterMs,
    }
  }

  private definitionOf({ operation, step }: Located): { definition: OperationDefinition; stepDefinition: StepDefinition } {
    const definition = this.definition(operation.kind)
    const stepDefinition = definition.steps[step.name]
    assert(stepDefinition, `${operation.kind} has a step ${step.name}`)
    return { definition, stepDefinition }
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
