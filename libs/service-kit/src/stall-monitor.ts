import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Timer } from '@nubo/kernel'
import type { Logger } from './logger.js'

export interface StallLimits {
  /** How often is looked whether there was one. */
  lookEveryMs?: number
  /** From here on it is worth a line: every request and message of this process waited for so long. */
  warnFromMs?: number
}

/** Each look of Node's own at its delay wakes the process, idle or not. A stall shows shorter than it was by this at the most. */
const resolutionMs = 250

/** Says in the log when the event loop stood still: because of work that does not yield, or because the process was stopped. */
export class StallMonitor {
  private readonly delays = monitorEventLoopDelay({ resolution: resolutionMs })
  private readonly limits: Required<StallLimits>
  private timer: Timer | undefined

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    limits: StallLimits = {},
  ) {
    this.limits = { lookEveryMs: 10_000, warnFromMs: 500, ...limits }
  }

  start(): void {
    this.delays.enable()
    this.schedule()
  }

  stop(): void {
    this.delays.disable()
    this.timer?.cancel()
  }

  private schedule(): void {
    this.timer = this.clock.after(this.limits.lookEveryMs, () => this.look(), { background: true })
  }

  private look(): void {
    // Node counts the time between its looks, which is their distance while nothing is in the way.
    const longestMs = Math.round(this.delays.max / 1e6) - resolutionMs
    if (longestMs >= this.limits.warnFromMs) this.logger.warn({ blockedMs: longestMs }, 'the event loop stood still')
    this.delays.reset()
    this.schedule()
  }
}
