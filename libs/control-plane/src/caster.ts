import type { PgOperationStore } from '@nubo/database'
import type { CloudError } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import { Caster, type ComposeOptions, type OpenStep, type OperationEngine } from '@nubo/workflow'

export interface CasterParts {
  store: PgOperationStore
  queue: Queue
  engine: OperationEngine
  compose: ComposeOptions
  logger: Logger
}

/** The caster of a service of the control plane: what it cannot cast it leaves to the sweeper, or ends. */
export function makeCaster({ store, queue, engine, compose, logger }: CasterParts): Caster {
  return new Caster({
    ...{ store, queue, engine, compose },
    onError: (error, stepId) => logger.warn({ err: error, stepId }, 'a step was not cast; it will be again'),
    onImpossible: (open, error) => failStep(store, engine, open, error),
  })
}

/** Ends a step whose command can no longer be made. What its undo opens is cast by the sweeper. */
async function failStep(store: PgOperationStore, engine: OperationEngine, open: OpenStep, error: CloudError): Promise<void> {
  await store.transaction(async (tx) => {
    const located = await tx.lockStep(open.step.id)
    if (located?.step.state === 'open') await engine.failed(tx, located, { scope: 'request', message: error.message })
  })
}
