import type { AbandonedGuest } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import type { Clock, HostId, ServerId } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import { removeUpTo } from './commands/destroy.js'
import { DeadlinePassed } from './commands/failure.js'
import type { Intake } from './commands/intake.js'
import type { Executor } from './executor.js'
import type { GuestFiles } from './guests/guest-files.js'
import type { HostRecord } from './host-record.js'
import type { Journal } from './journal.js'
import type { CastReport } from './reports/cast.js'

const removalTimeoutMs = 60_000

export interface RemovalsOptions {
  hostId: HostId
  hypervisor: Hypervisor
  guests: GuestFiles
  journal: Journal
  record: HostRecord
  executor: Executor
  intake: Intake
  cast: CastReport
  clock: Clock
  logger: Logger
}

/** What is removed from a host without a command of its own: by the records that name it, never on a guess. */
export class Removals {
  constructor(private readonly options: RemovalsOptions) {}

  /** Removes what was given up while this host was fenced, and says so. */
  async ofAbandoned(abandoned: readonly AbandonedGuest[]): Promise<void> {
    if (abandoned.length === 0) return
    const { hostId, journal, intake, cast, logger } = this.options
    for (const { serverId, incarnation, fencingEpoch } of abandoned) {
      logger.warn({ serverId, incarnation, fencingEpoch }, 'removing a guest that was given up while this host was fenced')
      await journal.bury(serverId, incarnation)
      intake.revoke(serverId, incarnation)
      await this.remove(serverId, incarnation)
    }
    const guests = abandoned.map(({ serverId, incarnation }) => ({ serverId, incarnation }))
    await cast({ kind: 'guests-removed', hostId, guests })
  }

  /** A guest or its disks that turn up at or below their server's tombstone are removed. */
  async ofWhatIsDestroyed(): Promise<void> {
    const { hypervisor, guests, journal, record, intake, logger } = this.options
    if (record.quarantine) return
    for (const { serverId, incarnation } of [...(await hypervisor.list()), ...guests.all()]) {
      const id = serverId as ServerId
      const tombstone = journal.tombstoneOf(id)
      if (incarnation > tombstone || intake.isBusy(id)) continue
      logger.warn({ serverId, incarnation, tombstone }, 'removing a guest that was destroyed before')
      await this.remove(id, tombstone)
    }
  }

  private async remove(serverId: ServerId, upToIncarnation: number): Promise<void> {
    const { clock, executor } = this.options
    const late = new AbortController()
    const timer = clock.after(removalTimeoutMs, () => late.abort(new DeadlinePassed(removalTimeoutMs)), { background: true })
    await executor
      .run(serverId, () => removeUpTo(serverId, upToIncarnation, this.options, late.signal))
      .finally(() => timer.cancel())
  }
}
