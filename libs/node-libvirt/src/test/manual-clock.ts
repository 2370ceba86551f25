import type { LibvirtClock, LibvirtTimer } from '../clock.js'

/** Time that passes when a test says so. */
export class ManualClock implements LibvirtClock {
  private nowMs = 0
  private timers = new Set<{ atMs: number; action: () => void }>()

  monotonicMs(): number {
    return this.nowMs
  }

  after(delayMs: number, action: () => void): LibvirtTimer {
    const timer = { atMs: this.nowMs + delayMs, action }
    this.timers.add(timer)
    return { cancel: () => void this.timers.delete(timer) }
  }

  /** How long until the next timer is due; undefined where there is none. */
  get nextInMs(): number | undefined {
    return this.timers.size === 0 ? undefined : Math.min(...[...this.timers].map(({ atMs }) => atMs)) - this.nowMs
  }

  get pendingTimers(): number {
    return this.timers.size
  }

  /** Lets time pass while the process stands still: each timer that is due runs once, late. */
  sleep(byMs: number): void {
    this.nowMs += byMs
    for (const timer of [...this.timers].filter(({ atMs }) => atMs <= this.nowMs)) {
      this.timers.delete(timer)
      timer.action()
    }
  }

  /** Lets time pass, and runs what becomes due in its order. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs
    for (;;) {
      const due = [...this.timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.timers.delete(due)
      this.nowMs = Math.max(this.nowMs, due.atMs)
      due.action()
    }
    this.nowMs = untilMs
  }
}
