import type { Clock, Timer } from '@nubo/kernel'

interface Pending {
  atMs: number
  action: () => void
}

/** Time that stands still until it is told to pass. */
export class VirtualClock implements Clock {
  private nowMs = 0
  private readonly pending = new Set<Pending>()

  now(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.nowMs)
  }

  monotonicMs(): number {
    return this.nowMs
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, action }
    this.pending.add(timer)
    return { cancel: () => void this.pending.delete(timer) }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const timer = this.after(delayMs, resolve)
      signal?.addEventListener('abort', () => {
        timer.cancel()
        reject(signal.reason)
      })
    })
  }

  /** Lets time pass in small steps, and everything that waits for none of it happen in between. */
  async pass(milliseconds: number, stepMs = 50): Promise<void> {
    for (const untilMs = this.nowMs + milliseconds; this.nowMs < untilMs;) {
      this.nowMs = Math.min(untilMs, this.nowMs + stepMs)
      for (const timer of [...this.pending].filter((each) => each.atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs)) {
        if (this.pending.delete(timer)) timer.action()
      }
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
