import { reportsQueue, type HearingMark } from '@nubo/contract'
import { hearingMarkEveryMs, recordHearing, type Database } from '@nubo/database'
import { Rounds, type Clock } from '@nubo/kernel'
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
  private readonly rounds: Rounds

  constructor(private readonly options: HearingOptions) {
    const { queue, clock, onError } = options
    this.rounds = new Rounds(() => queue.cast(reportsQueue, { ...mark }), { clock, pauseMs: hearingMarkEveryMs, onError })
  }

  start(): void {
    this.rounds.start({ now: true })
  }

  async take(): Promise<void> {
    await recordHearing(this.options.database)
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }
}
