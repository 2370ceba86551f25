import { forgetOldAnswers, type Database } from '@nubo/database'
import type { Clock, Timer } from '@nubo/kernel'

const intervalMs = 10 * 60_000
const batchSize = 1_000

export interface OldAnswersOptions {
  database: Database
  clock: Clock
  onError: (error: unknown) => void
}

/** Removes what is no longer kept for requests that are repeated, some at a time. Any number may run side by side. */
export class OldAnswers {
  private timer: Timer | undefined
  private running: Promise<void> = Promise.resolve()
  private stopped = false

  constructor(private readonly options: OldAnswersOptions) {}

  start(): void {
    const { clock, onError } = this.options
    const round = () => {
      this.running = this.forget()
        .catch(onError)
        .finally(() => this.start())
    }
    if (!this.stopped) this.timer = clock.after(intervalMs, round, { background: true })
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private async forget(): Promise<void> {
    while (!this.stopped && (await forgetOldAnswers(this.options.database, batchSize)) === batchSize);
  }
}
