import type { Clock, HostId } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'

/** Why something that was told in a host's name is not believed. */
export type RefusalReason = 'not-enrolled' | 'bad-signature' | 'replayed' | 'names-another-host' | 'malformed'

const words: Record<RefusalReason, string> = {
  'not-enrolled': 'refused what a host told: no key is enrolled for it (nubo host-key enrol)',
  'bad-signature': 'refused what a host told: it is not signed with the key that is enrolled for it',
  replayed: 'refused a registration: a later one of this host came before it',
  'names-another-host': 'refused what a host told: it speaks in the name of another host',
  malformed: 'refused what a host told: it breaks the contract',
}

/** A host may repeat itself as often as it likes; the log and the database hear of it this often. */
const sayAgainMs = 60_000
const mostKept = 10_000

interface Count {
  saidAtMs: number
  unsaid: number
}

/** Counts what was refused, and says so: at once the first time, then once a minute with how often it was. */
export class HostRefusals {
  private readonly counts = new Map<string, Count>()

  constructor(
    private readonly record: (hostId: HostId, reason: RefusalReason, count: number) => Promise<void>,
    private readonly count: (reason: RefusalReason) => void,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  note(hostId: HostId, reason: RefusalReason, details: Record<string, unknown> = {}): undefined {
    this.count(reason)
    if (this.counts.size >= mostKept) this.counts.clear()
    const key = `${hostId} ${reason}`
    const nowMs = this.clock.monotonicMs()
    const before = this.counts.get(key)
    if (before && nowMs - before.saidAtMs < sayAgainMs) return void before.unsaid++
    const times = 1 + (before?.unsaid ?? 0)
    this.counts.set(key, { saidAtMs: nowMs, unsaid: 0 })
    this.logger.warn({ hostId, reason, times, ...details }, words[reason])
    this.record(hostId, reason, times).catch((error: unknown) =>
      this.logger.warn({ err: error, hostId, reason }, 'could not record what was refused'),
    )
  }
}
