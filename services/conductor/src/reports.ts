import { hearingMark, report, type Report } from '@nubo/contract'
import type { HostId } from '@nubo/kernel'
import type { Message } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import type { Guests } from './guests.js'
import type { Hearing } from './hearing.js'
import type { Hosts } from './hosts.js'
import type { NetworkPlans } from './network-plans.js'
import type { Results } from './results.js'

/** Checks what an agent sent against its schema, and hands it to the one that takes such reports in. */
export class Reports {
  constructor(
    private readonly hosts: Hosts,
    private readonly guests: Guests,
    private readonly results: Results,
    private readonly logger: Logger,
    private readonly hearing: Hearing,
    /** Told of a host that has come. */
    private readonly onArrival: (hostId: HostId) => void,
    private readonly networkPlans: NetworkPlans,
  ) {}

  async take(message: Message): Promise<void> {
    if (hearingMark.safeParse(message).success) return await this.hearing.take()
    const parsed = report.safeParse(message)
    if (!parsed.success) {
      const { kind, hostId } = message
      return this.logger.error({ kind, hostId, problems: parsed.error.issues }, 'refused a report that breaks the contract')
    }
    await this.settle(parsed.data)
  }

  private async settle(taken: Report): Promise<void> {
    switch (taken.kind) {
      case 'register':
        await this.hosts.register(taken)
        return this.onArrival(taken.hostId)
      case 'heartbeat':
        return await this.hosts.heartbeat(taken)
      case 'result':
        return await this.results.take(taken)
      case 'guests-removed':
        return await this.hosts.removed(taken)
      case 'network-plan-applied':
        return await this.networkPlans.applied(taken)
      case 'guest-changed':
        return await this.guests.observe(taken.hostId, taken.sessionId, [taken], taken.cause, taken.detail)
    }
  }
}
