import { hostname } from 'node:os'
import { recordPresence, type Database } from '@nubo/database'
import type { Clock, Timer } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'

const intervalMs = 10_000

/** Keeps this service in the list of those that were heard of (`os-services`). */
export class Presence {
  private timer: Timer | undefined
  private stopped = false

  constructor(
    private readonly binary: string,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await recordPresence(this.database, { binary: this.binary, host: hostname() }).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'could not say that this service is here')
    })
    if (!this.stopped) this.timer = this.clock.after(intervalMs, () => void this.start())
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }
}
