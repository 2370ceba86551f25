import { systemClock } from '@nubo/kernel'

export type RequestKind = 'create' | 'delete' | 'start' | 'stop' | 'reboot' | 'reboot-hard' | 'attach' | 'detach'

/**
 * What came of a request, as its client saw it. Unknown: no answer came, so it may have been taken or not. Broken: an
 * answer that the API must never give.
 */
export type Answered = 'accepted' | 'refused' | 'unavailable' | 'unknown' | 'broken'

export interface LedgerEntry {
  kind: RequestKind
  /** What it was about; for a create the server that it made, once an answer named it. */
  serverId?: string
  /** Of a create: unique in the run. */
  name?: string
  answered: Answered
  status?: number
  /** X-OpenStack-Request-Id of the answer. */
  requestId?: string
  /** It is the kept answer to an earlier request under the same Idempotency-Key, which has another id. */
  repeated?: boolean
  /** What the answer said, where it was not accepted. */
  words?: string
  /** Of the answer, by the clock on the wall. */
  at: string
}

/** Every request that was made, and what was answered. */
export class Ledger {
  readonly entries: LedgerEntry[] = []
  private readonly gone = new Set<string>()

  add(entry: Omit<LedgerEntry, 'at'>): void {
    this.entries.push({ ...entry, at: systemClock.now().toISOString() })
    if (entry.kind === 'delete' && entry.answered === 'accepted') this.gone.add(entry.serverId!)
  }

  /** Servers that were made, and whose deletion was not accepted yet. */
  get live(): string[] {
    const made = this.entries.flatMap(({ kind, answered, serverId }) =>
      kind === 'create' && answered === 'accepted' && serverId ? [serverId] : [],
    )
    return made.filter((id) => !this.gone.has(id))
  }

  count(answered: Answered, kind?: RequestKind): number {
    return this.entries.filter((entry) => entry.answered === answered && (kind === undefined || entry.kind === kind)).length
  }
}
