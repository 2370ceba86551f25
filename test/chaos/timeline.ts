import { systemClock } from '@nubo/kernel'

export interface TimelineEntry {
  /** Since the run began. */
  seconds: number
  words: string
}

/** What happened when: printed as it happens, and kept for the report. */
export class Timeline {
  readonly entries: TimelineEntry[] = []
  private readonly beganMs = systemClock.monotonicMs()

  note(words: string): void {
    const seconds = Math.round((systemClock.monotonicMs() - this.beganMs) / 100) / 10
    this.entries.push({ seconds, words })
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${words}`)
  }
}
