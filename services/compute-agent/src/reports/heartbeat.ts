import type { Clock, Timer } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'

export interface HeartbeatOptions {
  clock: Clock
  logger: Logger
  /** @param withGuests whether this one tells of every guest. */
  beat: (withGuests: boolean) => Promise<void>
}

const intervalMs = 10_000
/** Every so many heartbeats tell of every guest, and so make good what was lost. */
const withGuestsEvery = 2

export class Heartbeat {
  private timer: Timer | undefined
  private stopped = false
  private count = 0

  constructor(private readonly options: HeartbeatOptions) {}

  start(): void {
    void this.run()
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  private async run(): Promise<void> {
    const { beat, clock, logger } = this.options
    // A host whose hypervisor does not answer, or whose journal takes no notes, is silent: nothing should be placed on it.
    await beat(this.count++ % withGuestsEvery === 0).catch((error: unknown) => logger.warn({ err: error }, 'no heartbeat'))
    if (!this.stopped) this.timer = clock.after(intervalMs, () => void this.run(), { background: true })
  }
}
