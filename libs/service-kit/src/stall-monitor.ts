import { performance } from 'node:perf_hooks'
import type { Clock, Timer } from '@nubo/kernel'
import type { Logger } from './logger.js'

export interface StallLimits {
  /** From here on it is worth a line: every request and message of this process waited for so long. */
  warnFromMs?: number
  /** The event loop is never left to wait for longer, so a longer wait is one in which the process was stopped. */
  longestWaitMs?: number
}

/**
 * Says in the log when the event loop stood still: because of work that does not yield, or because the process was stopped.
 *
 * Each turn of the event loop is measured at its end, by what it took beside waiting for something to do. This wakes nobody,
 * where Node's `monitorEventLoopDelay` wakes an idle process for each of its looks. A process that is stopped while it waits
 * keeps nothing waiting but what comes meanwhile: that is told only where it waited longer than it can have done by itself.
 */
export class StallMonitor {
  private readonly limits: Required<StallLimits>
  private atTurnsEnd: NodeJS.Immediate | undefined
  private alarm: Timer | undefined
  /** When the last turn ended, and how long the event loop had waited by then since it began. */
  private last = { endedMs: 0, waitedMs: 0 }

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    limits: StallLimits = {},
  ) {
    this.limits = { warnFromMs: 500, longestWaitMs: 10_000, ...limits }
  }

  start(): void {
    this.last = this.now()
    this.awaitTurnsEnd()
    this.setAlarm()
  }

  stop(): void {
    clearImmediate(this.atTurnsEnd)
    this.alarm?.cancel()
  }

  /** An immediate that keeps nothing alive runs at the end of the next turn, but is no reason for one. */
  private awaitTurnsEnd(): void {
    this.atTurnsEnd = setImmediate(() => {
      this.judgeTurn()
      this.awaitTurnsEnd()
    }).unref()
  }

  private setAlarm(): void {
    this.alarm = this.clock.after(this.limits.longestWaitMs, () => this.setAlarm(), { background: true })
  }

  private judgeTurn(): void {
    const { warnFromMs, longestWaitMs } = this.limits
    const now = this.now()
    const waitedMs = now.waitedMs - this.last.waitedMs
    const workedMs = now.endedMs - this.last.endedMs - waitedMs
    const blockedMs = Math.round(workedMs + Math.max(0, waitedMs - longestWaitMs))
    if (blockedMs >= warnFromMs) this.logger.warn({ blockedMs }, 'the event loop stood still')
    this.last = now
  }

  private now(): { endedMs: number; waitedMs: number } {
    return { endedMs: this.clock.monotonicMs(), waitedMs: performance.nodeTiming.idleTime }
  }
}
