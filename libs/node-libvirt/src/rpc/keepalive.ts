import type { LibvirtClock, LibvirtTimer } from '../clock.js'

/** KEEPALIVE_PROGRAM: pings and pongs have a program of their own (virkeepaliveprotocol.x). */
export const keepAliveProgram = 0x6b656570
export const keepAliveVersion = 1
export const KeepAliveProcedure = { Ping: 1, Pong: 2 } as const

export interface KeepAliveOptions {
  /** How long nothing may come before a ping is sent. */
  intervalMs: number
  /** How many pings in a row may stay unanswered. */
  count: number
}

/** Pings a silent peer, and says so when it stays silent. */
export class KeepAlive {
  private readonly clock: LibvirtClock
  private readonly options: KeepAliveOptions
  private readonly sendPing: () => void
  private readonly onDead: (silentMs: number) => void
  private lastReceivedMs: number
  private unanswered = 0
  private timer: LibvirtTimer

  constructor(clock: LibvirtClock, options: KeepAliveOptions, sendPing: () => void, onDead: (silentMs: number) => void) {
    this.clock = clock
    this.options = options
    this.sendPing = sendPing
    this.onDead = onDead
    this.lastReceivedMs = clock.monotonicMs()
    this.timer = this.schedule(options.intervalMs)
  }

  /** Anything that comes proves that the peer lives. */
  received(): void {
    this.lastReceivedMs = this.clock.monotonicMs()
    this.unanswered = 0
  }

  stop(): void {
    this.timer.cancel()
  }

  private schedule(delayMs: number): LibvirtTimer {
    return this.clock.after(delayMs, () => this.check(), { background: true })
  }

  private check(): void {
    const silentMs = this.clock.monotonicMs() - this.lastReceivedMs
    if (silentMs < this.options.intervalMs) {
      this.timer = this.schedule(this.options.intervalMs - silentMs)
      return
    }
    // Pings are counted, not milliseconds: after this process was paused, the peer still gets its chances to answer.
    if (this.unanswered >= this.options.count) return this.onDead(silentMs)
    this.unanswered++
    this.timer = this.schedule(this.options.intervalMs)
    this.sendPing()
  }
}
