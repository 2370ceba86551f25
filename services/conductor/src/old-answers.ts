import { forgetOldAnswers, type Database } from '@nubo/database'
import { Rounds, type Clock } from '@nubo/kernel'

const intervalMs = 10 * 60_000
const batchSize = 1_000

export interface OldAnswersOptions {
  database: Database
  clock: Clock
  onError: (error: unknown) => void
}

/** Removes what is no longer kept for requests that are repeated, some at a time. Any number may run side by side. */
export class OldAnswers {
  private readonly rounds: Rounds
  private stopped = false

  constructor(private readonly options: OldAnswersOptions) {
    const { clock, onError } = options
    this.rounds = new Rounds(() => this.forget(), { clock, pauseMs: intervalMs, onError })
  }

  start(): void {
    this.rounds.start()
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.rounds.stop()
  }

  private async forget(): Promise<void> {
    while (!this.stopped && (await forgetOldAnswers(this.options.database, batchSize)) === batchSize);
  }
}
