import { computeQueue, type Heartbeat, type Register } from '@nubo/contract'
import { heartbeatHost, registerHost, rehintHost, serversToRun, sessionOf, type Database } from '@nubo/database'
import { newId, type Random, type SessionId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Guests } from './guests.js'

export interface HostsOptions {
  database: Database
  queue: Queue
  guests: Guests
  random: Random
}

/** Takes in hosts' registrations and heartbeats. */
export class Hosts {
  constructor(private readonly options: HostsOptions) {}

  /** Begins a new session: answers the agent, settles what its guests did meanwhile, and casts its open steps again. */
  async register(report: Register): Promise<void> {
    const { database, queue, guests, random } = this.options
    const sessionId = newId<SessionId>(random)
    const { fencingEpoch, toRun } = await database.transaction(async (tx) => {
      const registration = await registerHost(tx, report, sessionId)
      // Before the guests are looked at: what stopped because its host did is to run again, and is not taken for stopped.
      return { ...registration, toRun: registration.rebooted ? await serversToRun(tx, report.hostId) : [] }
    })
    const answer = { kind: 'registered', hostId: report.hostId, registrationId: report.registrationId, sessionId, fencingEpoch }
    await queue.cast(computeQueue(report.hostId), answer)
    const awaitingRestart = new Set<string>(toRun)
    await guests.note(
      report.hostId,
      sessionId,
      report.guests.filter((guest) => awaitingRestart.has(guest.serverId)),
    )
    await guests.observe(
      report.hostId,
      sessionId,
      report.guests.filter((guest) => !awaitingRestart.has(guest.serverId)),
      'found-at-resync',
    )
    await guests.restart(toRun)
    await database.transaction((tx) => rehintHost(tx, report.hostId))
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
}
