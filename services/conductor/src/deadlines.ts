import type { PgOperationStore } from '@nubo/database'
import type { Clock, Timer } from '@nubo/kernel'
import type { OperationEngine } from '@nubo/workflow'

const batchSize = 100

export interface DeadlinesOptions {
  store: PgOperationStore
  engine: OperationEngine
  clock: Clock
  intervalMs: number
  onError: (error: unknown) => void
}

/** Ends what did not end by its deadline, by PostgreSQL's clock. Any number may run side by side. */
export class Deadlines {
  private timer: Timer | undefined
  private running: Promise<void> = Promise.resolve()
  private stopped = false

  constructor(private readonly options: DeadlinesOptions) {}

  start(): void {
    if (this.stopped) return
    this.timer = this.options.clock.after(this.options.intervalMs, () => {
      this.running = this.endOverdue()
        .catch(this.options.onError)
        .finally(() => this.start())
    })
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  async endOverdue(): Promise<void> {
    for (const { stepId } of await this.options.store.findOverdue(batchSize)) {
      await this.options.store.transaction(async (tx) => {
        const located = await tx.lockStep(stepId)
        if (located?.step.state !== 'open') return
        const where = located.step.hostId
          ? 'its host did not answer in time, so what it did is not known'
          : 'no scheduler took it in time'
        await this.options.engine.overdue(tx, located, `The ${located.step.name} step was given up: ${where}.`)
      })
    }
  }
}
