import { Inject, Injectable } from '@nestjs/common'
import { operationsQueue } from '@nubo/contract'
import { QUEUE } from '@nubo/control-plane'
import type { Clock, Timer } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { CLOCK, LOGGER, type Logger } from '@nubo/service-kit'

/** What is changed in so short a time becomes one plan of each host, and not one for each change. */
const gatherMs = 200

/**
 * Says that something of the networks was changed, so that hosts are told within moments. A hint that is lost costs time only:
 * conductors look for themselves every few seconds (docs/decisions/0015).
 */
@Injectable()
export class HostsHint {
  private gathering: Timer | undefined
  private isDueAgain = false

  constructor(
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** To be called after the commit. The first is cast at once, and what comes soon after it together. */
  cast(): void {
    if (this.gathering) {
      this.isDueAgain = true
      return
    }
    this.gathering = this.clock.after(gatherMs, () => this.gathered(), { background: true })
    this.tell().catch((error: unknown) =>
      this.logger.warn({ err: error }, 'conductors are not told of a change of the networks: they look soon'),
    )
  }

  /** One that still waits to be taken says all: while conductors are away no heap of them grows. */
  private async tell(): Promise<void> {
    if ((await this.queue.depth(operationsQueue)) === 0) await this.queue.cast(operationsQueue, { kind: 'networks' })
  }

  private gathered(): void {
    this.gathering = undefined
    if (!this.isDueAgain) return
    this.isDueAgain = false
    this.cast()
  }
}
