import { computeQueue, type GuestPassword } from '@nubo/contract'
import { recordGuestPassword, type Database } from '@nubo/database'
import type { Queue } from '@nubo/queue'

/** Keeps what guests set as their passwords, and tells their hosts when it is kept. */
export class GuestPasswords {
  constructor(
    private readonly database: Database,
    private readonly queue: Queue,
  ) {}

  /**
   * What counts no more is acknowledged too. A host whose session is over hears nothing: it tells all of its guests' passwords
   * in the next one.
   */
  async take(told: GuestPassword): Promise<void> {
    if (!(await recordGuestPassword(this.database, told))) return
    const { hostId, serverId, incarnation, clears } = told
    await this.queue.cast(computeQueue(hostId), { kind: 'password-recorded', hostId, serverId, incarnation, clears })
  }
}
