import type { Clock, Random, Timer } from '@nubo/kernel'
import type { Caster } from './caster.js'
import type { OperationStore } from './store.js'

export interface SweeperOptions {
  store: OperationStore
  caster: Caster
  clock: Clock
  random: Random
  intervalMs: number
  onError: (error: unknown) => void
}

const batchSize = 200

/**
 * Casts again what nobody took: after a queue that was emptied, an agent that was away, a process that died between its
 * commit and its cast. Any number may run side by side.
 */
export class Sweeper {
  private timer: Timer | undefined
  private running: Promise<void> = Promise.resolve()
  private stopped = false

  constructor(private readonly options: SweeperOptions) {}

  start(): void {
    this.schedule()
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  /** One round: everything that is due now. Returns how many steps were cast again. */
  async sweep(): Promise<number> {
    let total = 0
    for (;;) {
      const due = await this.options.store.takeDueSteps(batchSize)
      await this.options.caster.cast(due)
      total += due.length
      if (due.length < batchSize) return total
    }
  }

  private schedule(): void {
    if (this.stopped) return
    // Jitter, so that replicas do not all ask at once.
    const delayMs = this.options.intervalMs * (0.75 + this.options.random.fraction() / 2)
    this.timer = this.options.clock.after(delayMs, () => {
      this.running = this.sweep()
        .then(() => undefined, this.options.onError)
        .finally(() => this.schedule())
    })
  }
}
