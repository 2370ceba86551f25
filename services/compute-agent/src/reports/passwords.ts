import type { PasswordRecorded } from '@nubo/contract'
import type { HostId, ServerId } from '@nubo/kernel'
import type { GuestFiles, GuestRecord } from '../guests/guest-files.js'
import type { Session } from '../session.js'
import type { CastReport } from './cast.js'

export interface PasswordsOptions {
  hostId: HostId
  guests: Pick<GuestFiles, 'all' | 'passwordOf'>
  session: Session
  cast: CastReport
}

/** Tells what guests set as their passwords: at once, and with heartbeats until it is on record, in each session anew. */
export class Passwords {
  /** By guest, the one that this session's conductors have recorded. */
  private readonly recorded = new Map<string, number>()

  constructor(private readonly options: PasswordsOptions) {}

  /** What was recorded is told again: the records may be older than they were. */
  onSession(): void {
    this.recorded.clear()
  }

  /** What is not known to be on record. */
  async tellAll(): Promise<void> {
    const there = new Set(this.options.guests.all().map(keyOf))
    for (const key of this.recorded.keys()) if (!there.has(key)) this.recorded.delete(key)
    for (const record of this.options.guests.all()) await this.tell(record)
  }

  /** Tells what this guest set, unless that is known to be on record. */
  async tell(record: GuestRecord): Promise<void> {
    const { hostId, guests, session, cast } = this.options
    const { id: sessionId } = session
    const set = guests.passwordOf(record)
    if (!sessionId || !set || this.recorded.get(keyOf(record)) === set.clears) return
    const { incarnation } = record
    await cast({ kind: 'guest-password', hostId, sessionId, serverId: record.serverId as ServerId, incarnation, ...set })
  }

  onRecorded(told: PasswordRecorded): void {
    this.recorded.set(keyOf(told), told.clears)
  }
}

const keyOf = ({ serverId, incarnation }: Pick<GuestRecord, 'serverId' | 'incarnation'>) => `${serverId} ${incarnation}`
