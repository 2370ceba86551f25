import type { Clock, Timer } from '@nubo/kernel'
import type { Simulation } from './simulation.js'

const epochMs = Date.UTC(2026, 0, 1)

/**
 * A program that can be killed and paused at any event. All that reaches it from outside comes through here: when it was
 * killed nothing does any more, and what its code waits for never comes, as if it were not there.
 */
export class Process {
  private alive = true
  private readonly deathRites = new Set<() => void>()
  private pausedUntilMs = 0

  constructor(
    readonly name: string,
    readonly simulation: Simulation,
    /** How far the clock of its machine is off. */
    private readonly skewMs = 0,
  ) {}

  get isAlive(): boolean {
    return this.alive
  }

  /** kill -9. */
  kill(): void {
    this.alive = false
    for (const rite of this.deathRites) rite()
    this.deathRites.clear()
  }

  /** SIGSTOP, and SIGCONT so much later. */
  pause(milliseconds: number): void {
    this.pausedUntilMs = this.simulation.nowMs + milliseconds
  }

  /** What the machine does when this process ends: closes its connections, say. */
  atDeath(rite: () => void): () => void {
    this.deathRites.add(rite)
    return () => void this.deathRites.delete(rite)
  }

  /** Happens to this process after so long: never if it is killed before, and not while it is paused. */
  after(delayMs: number, action: () => void): Timer {
    let timer = this.simulation.after(delayMs, () => {
      if (!this.alive) return
      const waitMs = this.pausedUntilMs - this.simulation.nowMs
      if (waitMs > 0) timer = this.after(waitMs, action)
      else action()
    })
    return { cancel: () => timer.cancel() }
  }

  /** Resolves as an event of this process. */
  delay(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.after(milliseconds, resolve))
  }

  readonly clock: Clock = {
    now: () => new Date(epochMs + this.simulation.nowMs + this.skewMs),
    monotonicMs: () => this.simulation.nowMs,
    after: (delayMs, action) => this.after(delayMs, action),
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          timer.cancel()
          reject(signal!.reason)
        }
        const timer = this.after(delayMs, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
  }
}
