import {
  computeQueue,
  type GuestsRemoved,
  type Heartbeat,
  type NotRegistered,
  type Register,
  type Registered,
} from '@nubo/contract'
import {
  abandonedGuests,
  adoptGuests,
  findInterrupted,
  forgetAbandoned,
  heartbeatHost,
  registerHost,
  serversToRun,
  sessionOf,
  settleHost,
  type Database,
  type Transaction,
} from '@nubo/database'
import { CloudError, newId, type Random, type ServerId, type SessionId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Guests } from './guests.js'

export interface HostsOptions {
  database: Database
  queue: Queue
  guests: Guests
  random: Random
  /** Casts what is due now: a host that has come does not wait for the next round of sweeps. */
  castDue: () => Promise<unknown>
}

/** What a registration leads to, once its session is on record. */
interface Settlement {
  answer: Registered | NotRegistered
  /** Servers that are to run and do not, as their host was started again. */
  toRun: ServerId[]
  /** Servers that became ERROR when their host was fenced, and with which it has come back. */
  interrupted: ServerId[]
}

const fencedReason =
  'This host was declared dead by an operator (it is fenced). Its guests are left as they are, but for those that were given up meanwhile. To let it take part again: nubo host release.'

/** Takes in hosts' registrations and heartbeats. */
export class Hosts {
  constructor(private readonly options: HostsOptions) {}

  /**
   * Begins a new session: settles what the host's guests did meanwhile, casts its open steps again, and answers the agent.
   * The answer comes last: an agent without one registers again, so that a conductor that dies here leaves nothing half done.
   */
  async register(report: Register): Promise<void> {
    const { database } = this.options
    const sessionId = newId<SessionId>(this.options.random)
    const settlement = await database
      .transaction((tx) => this.record(tx, report, sessionId))
      .catch((error: unknown) => {
        if (!(error instanceof CloudError && error.kind === 'Conflict')) throw error
        return { answer: refusal(report, error.message), toRun: [], interrupted: [] }
      })
    if (settlement.answer.kind === 'registered') {
      await this.settleGuests(report, sessionId, settlement)
      await database.transaction((tx) => settleHost(tx, report, sessionId))
    }
    await this.options.queue.cast(computeQueue(report.hostId), settlement.answer)
    await this.options.castDue()
  }

  async heartbeat(report: Heartbeat): Promise<void> {
    const { database, guests, queue } = this.options
    if (await heartbeatHost(database, report)) {
      return await guests.observe(report.hostId, report.sessionId, report.guests, 'found-at-resync')
    }
    // Overtaken by a later heartbeat of the same session, or of a session that is over: of two registrations that
    // overtook each other, say. Without a word the agent would go on under it, heard by nobody.
    if ((await sessionOf(database, report.hostId)) === report.sessionId) return
    const { hostId, sessionId } = report
    await queue.cast(computeQueue(hostId), { kind: 'unknown-session', hostId, sessionId })
  }

  async removed({ hostId, guests }: GuestsRemoved): Promise<void> {
    await forgetAbandoned(this.options.database, hostId, guests)
  }

  private async record(tx: Transaction, report: Register, sessionId: SessionId): Promise<Settlement> {
    const { fencingEpoch, fenced, twins, quarantine, rebooted } = await registerHost(tx, report, sessionId)
    const remove = await abandonedGuests(tx, report.hostId)
    const reason = fenced ? fencedReason : twins ? quarantine : null
    if (reason) return { answer: { ...refusal(report, reason), fencingEpoch, remove }, toRun: [], interrupted: [] }
    await adoptGuests(tx, report.hostId, fencingEpoch)
    const { hostId, registrationId } = report
    return {
      answer: {
        ...{ kind: 'registered', hostId, registrationId, sessionId, fencingEpoch, remove },
        release: report.quarantine !== null && quarantine === null,
      },
      // Before the guests are looked at: what stopped because its host did is to run again, and is not taken for stopped.
      toRun: rebooted ? await serversToRun(tx, hostId) : [],
      interrupted: await findInterrupted(tx, hostId, report.guests),
    }
  }

  private async settleGuests(report: Register, sessionId: SessionId, { toRun, interrupted }: Settlement): Promise<void> {
    const { guests } = this.options
    const { hostId } = report
    const awaitingRestart = new Set<string>([...toRun, ...interrupted])
    await guests.note(
      hostId,
      sessionId,
      report.guests.filter((guest) => awaitingRestart.has(guest.serverId)),
    )
    await guests.observe(
      hostId,
      sessionId,
      report.guests.filter((guest) => !awaitingRestart.has(guest.serverId)),
      'found-at-resync',
    )
    await guests.recover(interrupted)
    await guests.restart([...awaitingRestart] as ServerId[])
  }
}

function refusal({ hostId, registrationId, fencingEpoch }: Register, reason: string): NotRegistered {
  return { kind: 'not-registered', hostId, registrationId, fencingEpoch: Math.max(1, fencingEpoch), remove: [], reason }
}
