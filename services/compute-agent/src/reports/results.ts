import type { PowerStateCode } from '@nubo/contract'
import type { Clock, HostId, ServerId, Timer } from '@nubo/kernel'
import type { Journal } from '../journal.js'
import type { Session } from '../session.js'
import type { CastReport } from './cast.js'

export interface ResultsOptions {
  hostId: HostId
  journal: Journal
  session: Session
  /** How a guest is now; undefined where it is not on this host. Throws where that cannot be seen. */
  look: (serverId: ServerId, incarnation: number) => Promise<PowerStateCode | undefined>
  cast: CastReport
  clock: Clock
}

const tickMs = 500
const repeatMs = { first: 2_000, longest: 30_000 }

/** Sends how commands ended, and repeats it until the conductor has acknowledged it. */
export class Results {
  /** By server: when it is sent again, and how long it waits then. */
  private readonly schedule = new Map<ServerId, { fence: number; atMs: number; pauseMs: number }>()
  private readonly sending = new Set<Promise<void>>()
  private timer: Timer | undefined
  private stopped = false

  constructor(private readonly options: ResultsOptions) {}

  /** Resolves when what is being sent is under way to a conductor, or known not to be. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.timer = undefined
    await Promise.all(this.sending)
  }

  /** Sends the result that is in the journal, if there is one. */
  async send(serverId: ServerId): Promise<void> {
    const sent = this.sendNow(serverId).finally(() => this.sending.delete(sent))
    this.sending.add(sent)
    await sent
  }

  private async sendNow(serverId: ServerId): Promise<void> {
    const { hostId, journal, session, look, cast } = this.options
    const entry = journal.get(serverId)
    if (!entry?.result || !session.id) return
    this.plan(serverId, entry.fence)
    const { stepId, operationId, incarnation, fence, result } = entry
    const identity = { hostId, sessionId: session.id, stepId, operationId, serverId, incarnation, fence }
    let { outcome, sequence } = result
    // What was seen in another session has no place in the count of this one, and is not so any more, perhaps.
    if (result.sessionId !== session.id) {
      sequence = session.nextSequence()
      const powerState = await look(serverId, incarnation).catch(() => undefined)
      if (powerState !== undefined) outcome = { ...outcome, powerState }
    }
    await cast({ kind: 'result', ...identity, sequence, outcome })
  }

  /** Sends all that is not acknowledged: for the begin of a session. */
  async sendAll(): Promise<void> {
    this.schedule.clear()
    await Promise.all(this.options.journal.unacknowledged().map((serverId) => this.send(serverId)))
  }

  private plan(serverId: ServerId, fence: number): void {
    const before = this.schedule.get(serverId)
    const pauseMs = before?.fence === fence ? Math.min(before.pauseMs * 2, repeatMs.longest) : repeatMs.first
    this.schedule.set(serverId, { fence, atMs: this.options.clock.monotonicMs() + pauseMs, pauseMs })
    this.lookSoon()
  }

  /** Looks are made only while something waits for its acknowledgement. */
  private lookSoon(): void {
    if (this.stopped || this.schedule.size === 0) return
    this.timer ??= this.options.clock.after(tickMs, () => this.look(), { background: true })
  }

  private look(): void {
    this.timer = undefined
    const nowMs = this.options.clock.monotonicMs()
    for (const [serverId, { atMs }] of this.schedule) {
      const { result } = this.options.journal.get(serverId) ?? {}
      if (!result || result.acknowledged) this.schedule.delete(serverId)
      // Not waited for: a guest that cannot be looked at keeps back no other's.
      else if (nowMs >= atMs) void this.send(serverId)
    }
    this.lookSoon()
  }
}
