import { operationsQueue, placementQueue } from '@nubo/contract'
import { CloudError, type StepId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { composeCommand, type ComposeOptions } from './compose.js'
import type { OperationEngine } from './engine.js'
import type { OpenStep } from './records.js'
import type { OperationStore } from './store.js'

export interface CasterOptions {
  store: OperationStore
  queue: Queue
  engine: OperationEngine
  compose: ComposeOptions
  /** Told of a cast that did not get through; the step stays due, so nothing is lost. */
  onError: (error: unknown, stepId: StepId) => void
  /** Told of a step whose command cannot be made any more: it fails with this reason. */
  onImpossible: (open: OpenStep, error: CloudError) => Promise<void>
}

/** Tells whoever does an open step. Never throws: what does not get through is cast again by the sweeper. */
export class Caster {
  constructor(private readonly options: CasterOptions) {}

  async cast(ids: readonly (StepId | undefined)[]): Promise<void> {
    const opened = ids.filter((id) => id !== undefined)
    if (opened.length === 0) return
    try {
      const steps = await this.options.store.readOpenSteps(opened)
      await Promise.all(steps.map((step) => this.castOne(step)))
      // Their hosts wait for plans that have these ports: whoever makes those is told too.
      if (steps.some(needsPlan)) await this.options.queue.cast(operationsQueue, { kind: 'networks' })
    } catch (error) {
      this.options.onError(error, opened[0]!)
    }
  }

  private async castOne(open: OpenStep): Promise<void> {
    try {
      if (!open.step.hostId) return await this.castHint(open)
      const command = await composeCommand(open, this.options.engine.definition(open.operation.kind), this.options.compose)
      if (command) await this.options.queue.cast(open.queue, { ...command })
    } catch (error) {
      if (error instanceof CloudError && error.kind === 'NotFound') await this.options.onImpossible(open, error)
      else this.options.onError(error, open.step.id)
    }
  }

  private async castHint(open: OpenStep): Promise<void> {
    const { operation, step } = open
    await this.options.queue.cast(placementQueue, {
      kind: 'step',
      stepId: step.id,
      operationId: operation.id,
      requestId: operation.requestId,
    })
  }
}

/** Ports were bound to the host in the transaction that opened the step. */
function needsPlan({ step, operation, guest }: OpenStep): boolean {
  const brings = step.name === 'build' || operation.kind === 'server.attach-interface'
  return brings && step.direction === 'do' && guest.ports.length > 0
}

/**
 * Casts a hint without reading the step again: for who just opened a step that a scheduler does, as the API does for
 * every new server. An error is only told: the sweeper casts again.
 */
export async function castPlacementHints(
  queue: Queue,
  hints: readonly { stepId: StepId; operationId: string; requestId: string }[],
  onError: (error: unknown) => void,
): Promise<void> {
  await queue
    .castAll(
      placementQueue,
      hints.map((hint) => ({ kind: 'step', ...hint })),
    )
    .catch(onError)
}
