import { reportsQueue, type HearingMark } from '@nubo/contract'
import { hearingMarkEveryMs, recordHearing, type Database } from '@nubo/database'
import type { Clock, Timer } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

const mark: HearingMark = { kind: 'hearing' }

export interface HearingOptions {
  database: Database
  queue: Queue
  clock: Clock
  onError: (error: unknown) => void
}

/**
 * Tries all the time whether hosts can be heard: casts marks on the way that their reports take, and whichever conductor
 * takes one records it. Nobody need be believed: that it was recorded is what it says.
 */
export class Hearing {
  private timer: Timer | undefined
  private stopped = false

  constructor(private readonly options: HearingOptions) {}

  start(): void {
    const { queue, clock, onError } = this.options
    void queue.cast(reportsQueue, { ...mark }).catch(onError)
    if (!this.stopped) this.timer = clock.after(hearingMarkEveryMs, () => this.start(), { background: true })
  }

  async take(): Promise<void> {
    await recordHearing(this.options.database)
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }
}
