import { CloudError, type Clock, type PortId, type ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic } from '../guest-definition.js'
import type { GuestStamp, HypervisorEvent, PowerState, StopCause } from '../hypervisor.js'

export interface SimulatedGuest {
  definition: GuestDefinition
  /** What it runs as; a new definition counts from its next start. */
  running?: { startedMs: number; definition: GuestDefinition }
  powerState: PowerState
  stopCause?: StopCause
  heedsButton: boolean
  console: string
}

/** A guest as it is, whatever is reported of it. */
export type TrueGuest = GuestStamp & { running: boolean; nics: readonly GuestNic[] }

export interface SimulatedGuestsOptions {
  clock: Clock
  /** How long a guest takes to do what it is asked for. */
  reactionMs: number
  /** Told of whatever happens to one. */
  onEvent: (event: HypervisorEvent) => void
}

const stopDetails: Record<StopCause, string> = {
  'guest-shutdown': 'it powered itself off',
  destroyed: 'its plug was pulled',
  crashed: 'it crashed',
  killed: 'its process ended without a word',
  unknown: 'nobody knows why',
}

/** The guests of a simulated host as they are, and what happens to them: whatever is reported of it, and to whom. */
export class SimulatedGuests {
  private readonly guests = new Map<ServerId, SimulatedGuest>()
  /** Made when it is asked for; absent: something changed since. */
  private truth: readonly TrueGuest[] | undefined

  constructor(private readonly options: SimulatedGuestsOptions) {}

  find(serverId: ServerId): SimulatedGuest | undefined {
    return this.guests.get(serverId)
  }

  require(serverId: ServerId): SimulatedGuest {
    const guest = this.guests.get(serverId)
    if (!guest) throw new CloudError('NotFound', 'There is no such guest')
    return guest
  }

  all(): SimulatedGuest[] {
    return [...this.guests.values()]
  }

  /** The same list again while nothing changes. */
  inTruth(): readonly TrueGuest[] {
    return (this.truth ??= this.all().map(({ running, definition }) => {
      const { serverId, projectId, incarnation, fencingEpoch, nics } = running?.definition ?? definition
      return { serverId, projectId, incarnation, fencingEpoch, nics, running: running !== undefined }
    }))
  }

  define(definition: GuestDefinition): void {
    this.truth = undefined
    const known = this.guests.get(definition.serverId)
    if (known) known.definition = definition
    else this.guests.set(definition.serverId, { definition, powerState: 'shutdown', heedsButton: true, console: '' })
  }

  undefine(serverId: ServerId): void {
    this.truth = undefined
    this.guests.delete(serverId)
  }

  start(guest: SimulatedGuest): void {
    this.truth = undefined
    const { serverId, name } = guest.definition
    const running = { startedMs: this.options.clock.monotonicMs(), definition: guest.definition }
    Object.assign(guest, { running, powerState: 'running', stopCause: undefined, heedsButton: true })
    this.writeToConsole(serverId, `${name} login: `)
    this.options.onEvent({ kind: 'started', serverId })
  }

  restart(guest: SimulatedGuest): void {
    guest.heedsButton = true
    this.options.onEvent({ kind: 'rebooted', serverId: guest.definition.serverId })
  }

  stop(serverId: ServerId, cause: StopCause): void {
    const guest = this.guests.get(serverId)
    if (!guest?.running) return
    this.truth = undefined
    Object.assign(guest, { running: undefined, powerState: 'shutdown', stopCause: cause })
    this.options.onEvent({ kind: 'stopped', serverId, cause, detail: stopDetails[cause] })
  }

  /** All of them are off, and nobody is told. */
  cutPower(): void {
    for (const guest of this.guests.values()) {
      if (guest.running) Object.assign(guest, { running: undefined, powerState: 'shutdown', stopCause: 'unknown' })
    }
    this.truth = undefined
  }

  /** Does what the guest was asked for in its own time, unless it was stopped or started again meanwhile. */
  later(guest: SimulatedGuest, action: () => void): void {
    const { running } = guest
    const { clock, reactionMs } = this.options
    clock.after(reactionMs, () => guest.running === running && action(), { background: true })
  }

  plugIn(serverId: ServerId, nic: GuestNic): void {
    this.changeNics(serverId, (nics) => [...without(nics, nic.portId), nic])
  }

  unplug(serverId: ServerId, portId: PortId): void {
    this.changeNics(serverId, (nics) => without(nics, portId))
  }

  writeToConsole(serverId: ServerId, text: string): void {
    const guest = this.require(serverId)
    guest.console = (guest.console + text).slice(-65_536)
  }

  /** Of the guest as it runs, and as it will start again. */
  private changeNics(serverId: ServerId, change: (nics: readonly GuestNic[]) => GuestNic[]): void {
    this.truth = undefined
    const guest = this.require(serverId)
    const changed = (definition: GuestDefinition) => ({ ...definition, nics: change(definition.nics) })
    guest.definition = changed(guest.definition)
    if (guest.running) guest.running.definition = changed(guest.running.definition)
  }
}

function without(nics: readonly GuestNic[], portId: PortId): GuestNic[] {
  return nics.filter((nic) => nic.portId !== portId)
}
