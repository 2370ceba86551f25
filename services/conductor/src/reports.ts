import { hearingMark, report, type Report } from '@nubo/contract'
import type { HostId } from '@nubo/kernel'
import type { Message } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import type { GuestPasswords } from './guest-passwords.js'
import type { Guests } from './guests.js'
import type { Hearing } from './hearing.js'
import type { Hosts } from './hosts.js'
import type { NetworkPlans } from './network-plans.js'
import type { Results } from './results.js'

export interface ReportsOptions {
  hosts: Hosts
  guests: Guests
  guestPasswords: GuestPasswords
  results: Results
  networkPlans: NetworkPlans
  hearing: Hearing
  /** Told of a host that has come. */
  onArrival: (hostId: HostId) => void
  logger: Logger
}

/** Checks what an agent sent against its schema, and hands it to the one that takes such reports in. */
export class Reports {
  constructor(private readonly options: ReportsOptions) {}

  async take(message: Message): Promise<void> {
    const { hearing, logger } = this.options
    if (hearingMark.safeParse(message).success) return await hearing.take()
    const parsed = report.safeParse(message)
    if (!parsed.success) {
      const { kind, hostId } = message
      return logger.error({ kind, hostId, problems: parsed.error.issues }, 'refused a report that breaks the contract')
    }
    await this.settle(parsed.data)
  }

  private async settle(taken: Report): Promise<void> {
    const { hosts, guests, guestPasswords, results, networkPlans, onArrival } = this.options
    switch (taken.kind) {
      case 'register':
        await hosts.register(taken)
        return onArrival(taken.hostId)
      case 'heartbeat':
        return await hosts.heartbeat(taken)
      case 'result':
        return await results.take(taken)
      case 'guests-removed':
        return await hosts.removed(taken)
      case 'guest-password':
        return await guestPasswords.take(taken)
      case 'network-plan-applied':
        return await networkPlans.applied(taken)
      case 'guest-changed':
        return await guests.observe(taken.hostId, taken.sessionId, [taken], taken.cause, taken.detail)
    }
  }
}
