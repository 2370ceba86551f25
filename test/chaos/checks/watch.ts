import { systemClock } from '@nubo/kernel'
import type { Check } from './check.js'

export interface Watched {
  name: string
  everyMs: number
  /** What breaks the promise at this moment, in words; undefined where it could not be seen. */
  look(): Promise<string[] | undefined>
}

/** Holds a promise at every moment, not only at the end: looks again and again, and keeps what it saw. */
export class Watch implements AsyncDisposable {
  private readonly seen = new Set<string>()
  private readonly stopping = new AbortController()
  private readonly running: Promise<void>
  private looks = 0

  constructor(private readonly watched: Watched) {
    this.running = this.run()
  }

  get check(): Check {
    return {
      name: this.watched.name,
      find: async () => (this.looks === 0 ? ['nobody could look'] : [...this.seen]),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      const found = await this.watched.look()
      if (found) this.looks++
      for (const words of found ?? []) this.seen.add(`${systemClock.now().toISOString()} ${words}`)
      await systemClock.sleep(this.watched.everyMs, signal).catch(() => undefined)
    }
  }
}
