import type { Clock, Timer } from '@nubo/kernel'

/** Time that passes when it is told to. */
export class ManualClock implements Clock {
  private ms = 0
  private readonly timers = new Map<Timer, { atMs: number; action: () => void }>()

  now = () => new Date(this.ms)
  monotonicMs = () => this.ms

  after(delayMs: number, action: () => void): Timer {
    const timer: Timer = { cancel: () => void this.timers.delete(timer) }
    this.timers.set(timer, { atMs: this.ms + delayMs, action })
    return timer
  }

  sleep(delayMs: number): Promise<void> {
    this.ms += delayMs
    return Promise.resolve()
  }

  pass(ms: number): void {
    this.ms += ms
    for (const [timer, { atMs, action }] of [...this.timers]) {
      if (atMs > this.ms || !this.timers.delete(timer)) continue
      action()
    }
  }
}
