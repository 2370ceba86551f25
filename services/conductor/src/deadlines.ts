import type { PgOperationStore } from '@nubo/database'
import { Rounds, type Clock, type StepId } from '@nubo/kernel'
import type { OperationEngine } from '@nubo/workflow'
import { forEach } from './each.js'

const batchSize = 100
/** So many rounds without a word, of any conductor: deadlines did not count meanwhile. */
const missedRounds = 4

export interface DeadlinesOptions {
  store: PgOperationStore
  engine: OperationEngine
  clock: Clock
  intervalMs: number
  onError: (error: unknown) => void
}

/**
 * Ends what did not end by its deadline, by PostgreSQL's clock, counting only time in which some conductor could ask it.
 * Any number may run side by side.
 */
export class Deadlines {
  private readonly rounds: Rounds

  constructor(private readonly options: DeadlinesOptions) {
    const { clock, intervalMs, onError } = options
    this.rounds = new Rounds(() => this.endOverdue(), { clock, pauseMs: intervalMs, onError })
  }

  start(): void {
    this.rounds.start()
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }

  async endOverdue(): Promise<void> {
    const { store, intervalMs } = this.options
    const unwatchedMs = intervalMs * missedRounds
    await store.watchClock(unwatchedMs)
    await forEach(await store.findOverdue(batchSize, unwatchedMs), ({ stepId }) => this.end(stepId, unwatchedMs))
  }

  private async end(stepId: StepId, unwatchedMs: number): Promise<void> {
    const { store, engine } = this.options
    await store.transaction(async (tx) => {
      const located = await tx.lockStep(stepId)
      if (located?.step.state !== 'open' || !(await tx.isOverdue(located.operation.id, unwatchedMs))) return
      await engine.overdue(tx, located)
    })
  }
}
