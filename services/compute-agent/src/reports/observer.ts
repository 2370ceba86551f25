import type { GuestChangeCause, GuestSeen, PowerStateCode } from '@nubo/contract'
import type { Guest, Hypervisor, HypervisorEvent, StopCause } from '@nubo/hypervisor'
import type { HostId, ServerId } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import { powerStates } from '../commands/context.js'
import type { Executor } from '../executor.js'
import type { GuestFiles } from '../guests/guest-files.js'
import type { Session } from '../session.js'
import type { CastReport } from './cast.js'
import { powerStateCode } from './power-state.js'

export interface ObserverOptions {
  hostId: HostId
  hypervisor: Hypervisor
  guests: GuestFiles
  executor: Executor
  session: Session
  cast: CastReport
  logger: Logger
}

type Seen = Omit<GuestSeen, 'sequence'>
type Cause = Pick<Change, 'cause' | 'detail'>

interface Change {
  cause: GuestChangeCause
  detail: string
}

const stopCauses: Record<StopCause, GuestChangeCause> = {
  'guest-shutdown': 'guest-shutdown',
  destroyed: 'destroyed-on-host',
  crashed: 'crashed',
  killed: 'killed',
  unknown: 'found-at-resync',
}

/** Sees what guests do without being told to, and tells the conductor what it does not know yet. */
export class Observer {
  /** What the conductor was told last. */
  private readonly told = new Map<ServerId, Seen>()

  constructor(private readonly options: ObserverOptions) {}

  /** Every guest that is, or should be, on this host. What is here without running is off, whatever became of its domain. */
  async survey(): Promise<Seen[]> {
    const seen = new Map<ServerId, Seen>()
    for (const record of this.options.guests.all()) {
      const serverId = record.serverId as ServerId
      if ((seen.get(serverId)?.incarnation ?? 0) < record.incarnation) seen.set(serverId, asSeen(record, undefined))
    }
    for (const guest of await this.options.hypervisor.list()) seen.set(guest.serverId, asSeen(guest, guest))
    return [...seen.values()]
  }

  /** How a guest is now; undefined where this incarnation of it is not here. */
  async powerOf(serverId: ServerId, incarnation: number): Promise<PowerStateCode | undefined> {
    const { seen } = await this.see(serverId)
    return seen?.incarnation === incarnation ? seen.powerState : undefined
  }

  /** Notes what the conductor is told, or is about to be, in another way. */
  noteTold(seen: readonly Seen[]): void {
    for (const each of seen) this.told.set(each.serverId, each)
  }

  /** Takes an event as a reason to look, and for the cause of what is found. */
  onEvent(event: HypervisorEvent): void {
    switch (event.kind) {
      case 'stopped':
        return this.lookSoon(event.serverId, { cause: stopCauses[event.cause], detail: `On the host: ${event.detail}.` })
      case 'started':
      case 'resumed':
        return this.lookSoon(event.serverId)
      case 'paused':
        return this.lookSoon(event.serverId, { cause: 'paused-on-host', detail: `On the host: ${event.detail}.` })
      case 'rebooted':
      case 'disconnected':
      case 'reconnected':
        return
    }
  }

  /** Looks at every guest for what was missed. */
  async lookAtAll(): Promise<void> {
    for (const seen of await this.survey()) {
      const told = this.told.get(seen.serverId)
      if (told?.powerState !== seen.powerState || told.incarnation !== seen.incarnation) this.lookSoon(seen.serverId)
    }
  }

  /** Looks when whatever is being done to the guest is done. */
  lookSoon(serverId: ServerId, cause?: Cause): void {
    void this.options.executor
      .run(serverId, () => this.look(serverId, cause))
      // Heartbeats look again.
      .catch((error: unknown) => this.options.logger.warn({ err: error, serverId }, 'a guest could not be looked at'))
  }

  private async look(serverId: ServerId, cause: Cause | undefined): Promise<void> {
    const { hostId, session, cast, logger } = this.options
    if (!session.id) return
    const [sessionId, sequence] = [session.id, session.nextSequence()]
    const { seen, guest } = await this.see(serverId)
    if (!seen) return void this.told.delete(serverId)
    const told = this.told.get(serverId)
    if (told?.incarnation === seen.incarnation && told.powerState === seen.powerState) return
    const change = causeOf(guest, seen.powerState, cause)
    logger.info({ serverId, powerState: seen.powerState, ...change }, 'a guest changed on its own')
    if (await cast({ kind: 'guest-changed', hostId, sessionId, sequence, ...seen, ...change })) this.told.set(serverId, seen)
  }

  private async see(serverId: ServerId): Promise<{ seen: Seen | undefined; guest: Guest | undefined }> {
    const guest = await this.options.hypervisor.inspect(serverId)
    const identity = guest ?? this.options.guests.find(serverId)
    return { seen: identity && asSeen(identity, guest), guest }
  }
}

function asSeen({ serverId, incarnation }: { serverId: string; incarnation: number }, guest: Guest | undefined): Seen {
  const powerState = guest ? powerStateCode(guest.powerState) : powerStates.shutdown
  return { serverId: serverId as ServerId, incarnation, powerState }
}

/** The event's cause, if the guest is still as the event left it; else what the hypervisor remembers. */
function causeOf(guest: Guest | undefined, powerState: PowerStateCode, cause: Cause | undefined): Change {
  if (powerState === powerStates.running) return { cause: 'started-on-host', detail: '' }
  if (powerState === powerStates.paused) return cause ?? { cause: 'paused-on-host', detail: '' }
  if (cause && cause.cause !== 'paused-on-host') return cause
  if (!guest) return { cause: 'found-at-resync', detail: 'Its domain is gone from the host.' }
  return { cause: stopCauses[guest.stopCause ?? 'unknown'], detail: '' }
}
