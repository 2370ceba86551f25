import { CloudError, type Clock, type PortId, type Random, type ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic } from '../guest-definition.js'
import type {
  Guest,
  GuestStatistics,
  Hypervisor,
  HypervisorDescription,
  HypervisorEvent,
  PowerState,
  Watch,
} from '../hypervisor.js'
import { Faults, type Verb } from './faults.js'
import { SimulatedGuests, type SimulatedGuest, type TrueGuest } from './simulated-guests.js'

export interface SimulatedHypervisorOptions {
  clock: Clock
  random: Random
  hostName?: string
  cpus?: number
  memoryMiB?: number
  /** The least and the most that a call takes, ms; default 0. */
  latencyMs?: Partial<Record<Verb, readonly [number, number]>>
  /** How long a guest takes to obey the power button, or to restart; default 0. */
  guestReactionMs?: number
}

/**
 * A host on which nothing runs, and everything can go wrong. Calls behave as a real hypervisor's; what happens to a host
 * besides is in the methods that `Hypervisor` does not have. Repeats exactly with its seed on a virtual clock.
 */
export class SimulatedHypervisor implements Hypervisor {
  readonly faults: Faults
  private readonly guests: SimulatedGuests
  private readonly listeners = new Set<(event: HypervisorEvent) => void>()
  private readonly lies = new Map<ServerId, PowerState | 'absent'>()
  private connected = true
  private eventsToLose = 0

  constructor(private readonly options: SimulatedHypervisorOptions) {
    const { clock, random, guestReactionMs: reactionMs = 0 } = options
    this.faults = new Faults(clock, random)
    this.guests = new SimulatedGuests({ clock, reactionMs, onEvent: (event) => this.emit(event) })
  }

  describe(): Promise<HypervisorDescription> {
    return this.call('describe', () => ({
      hypervisorType: 'Simulated',
      hypervisorVersion: 1_000_000,
      hostName: this.options.hostName ?? 'simulated',
      architecture: 'x86_64',
      virtType: 'simulated' as const,
      virtTypeReason: 'a simulated host was asked for: nothing really runs',
      cpus: this.options.cpus ?? 64,
      memoryMiB: this.options.memoryMiB ?? 262_144,
      cpuInfo: { arch: 'x86_64', vendor: 'Nubo', model: 'simulated', features: [] },
    }))
  }

  define(definition: GuestDefinition): Promise<void> {
    return this.call('define', () => {
      if (definition.vcpus < 1 || definition.memoryMiB < 1)
        throw new CloudError('Invalid', 'A guest needs a processor and memory')
      this.guests.define(definition)
    })
  }

  start(serverId: ServerId): Promise<void> {
    return this.call('start', () => {
      const guest = this.guests.require(serverId)
      if (!guest.running) this.guests.start(guest)
    })
  }

  shutdown(serverId: ServerId): Promise<void> {
    return this.call('shutdown', () => {
      const guest = this.guests.require(serverId)
      if (guest.running && guest.heedsButton) this.guests.later(guest, () => this.powerOffFromInside(serverId))
    })
  }

  reboot(serverId: ServerId): Promise<void> {
    return this.call('reboot', () => {
      const guest = this.guests.require(serverId)
      if (!guest.running) throw new CloudError('Conflict', 'The guest cannot be asked to restart: it is off')
      if (guest.heedsButton) this.guests.later(guest, () => this.guests.restart(guest))
    })
  }

  reset(serverId: ServerId): Promise<void> {
    return this.call('reset', () => {
      const guest = this.guests.require(serverId)
      if (!guest.running) throw new CloudError('Conflict', 'The guest cannot be reset: it is off')
      this.guests.restart(guest)
    })
  }

  powerOff(serverId: ServerId): Promise<void> {
    return this.call('powerOff', () => this.destroy(serverId))
  }

  undefine(serverId: ServerId): Promise<void> {
    return this.call('undefine', () => {
      if (this.guests.find(serverId)?.running) throw new CloudError('Conflict', 'The guest cannot be undefined: it runs')
      this.guests.undefine(serverId)
    })
  }

  attachNic(serverId: ServerId, nic: GuestNic): Promise<void> {
    return this.call('attachNic', () => this.guests.plugIn(serverId, nic))
  }

  detachNic(serverId: ServerId, portId: PortId): Promise<void> {
    return this.call('detachNic', () => {
      const { running, heedsButton } = this.guests.require(serverId)
      const isPlugged = running?.definition.nics.some((nic) => nic.portId === portId)
      if (isPlugged && !heedsButton) throw new CloudError('Unavailable', 'The guest has not let go of its interface yet')
      this.guests.unplug(serverId, portId)
    })
  }

  nics(serverId: ServerId): Promise<GuestNic[]> {
    return this.call('nics', () => {
      const { running, definition } = this.guests.require(serverId)
      return [...(running?.definition ?? definition).nics]
    })
  }

  inspect(serverId: ServerId): Promise<Guest | undefined> {
    return this.call('inspect', () => {
      const guest = this.guests.find(serverId)
      return guest && this.view(guest)
    })
  }

  list(): Promise<Guest[]> {
    return this.call('list', () =>
      this.guests
        .all()
        .map((guest) => this.view(guest))
        .filter((view) => view !== undefined),
    )
  }

  statistics(): Promise<GuestStatistics[]> {
    return this.call('statistics', () =>
      this.guests.all().flatMap(({ running }) =>
        running
          ? {
              serverId: running.definition.serverId,
              cpuTimeNs: BigInt(Math.round((this.options.clock.monotonicMs() - running.startedMs) * 1e6)),
              memoryMiB: running.definition.memoryMiB,
              diskReadBytes: 0n,
              diskWrittenBytes: 0n,
            }
          : [],
      ),
    )
  }

  consoleOutput(serverId: ServerId, maximumBytes: number): Promise<Buffer> {
    return this.call('consoleOutput', () => {
      const written = Buffer.from(this.guests.find(serverId)?.console ?? '')
      return written.subarray(Math.max(0, written.length - maximumBytes))
    })
  }

  watch(listener: (event: HypervisorEvent) => void): Watch {
    this.listeners.add(listener)
    return { stop: () => void this.listeners.delete(listener) }
  }

  async close(): Promise<void> {
    this.listeners.clear()
  }

  // What happens to a host and its guests, past the interface.

  /** What is, whatever is reported of it: for who judges a simulation. The same list again while nothing changes. */
  guestsInTruth(): readonly TrueGuest[] {
    return this.guests.inTruth()
  }

  /** The guest's own `poweroff`. */
  powerOffFromInside(serverId: ServerId): void {
    this.guests.stop(serverId, 'guest-shutdown')
  }

  /** `virsh destroy`. */
  destroy(serverId: ServerId): void {
    this.guests.stop(serverId, 'destroyed')
  }

  /** `kill -9` of its process. */
  kill(serverId: ServerId): void {
    this.guests.stop(serverId, 'killed')
  }

  crash(serverId: ServerId): void {
    this.guests.stop(serverId, 'crashed')
  }

  /** It hangs: the power button does nothing from now on. */
  ignoreButton(serverId: ServerId): void {
    this.guests.require(serverId).heedsButton = false
  }

  writeToConsole(serverId: ServerId, text: string): void {
    this.guests.writeToConsole(serverId, text)
  }

  /** Reports this state until `tellTruth`, whatever is so. */
  lie(serverId: ServerId, state: PowerState | 'absent'): void {
    this.lies.set(serverId, state)
  }

  tellTruth(): void {
    this.lies.clear()
  }

  loseEvents(count: number): void {
    this.eventsToLose += count
  }

  /** Calls fail, events are lost; guests go on. */
  disconnect(): void {
    this.connected = false
    for (const listener of this.listeners) listener({ kind: 'disconnected', detail: 'the simulated daemon is gone' })
  }

  reconnect(): void {
    this.connected = true
    this.emit({ kind: 'reconnected' })
  }

  /** The host itself goes down and comes up again: every guest is off, and nobody was told. */
  powerCut(): void {
    this.disconnect()
    this.guests.cutPower()
    this.reconnect()
  }

  private view({ definition, running, powerState, stopCause }: SimulatedGuest): Guest | undefined {
    const { serverId, projectId, incarnation, fencingEpoch } = running?.definition ?? definition
    const lie = this.lies.get(serverId)
    if (lie === 'absent') return undefined
    return {
      serverId,
      projectId,
      incarnation,
      fencingEpoch,
      powerState: lie ?? powerState,
      ...(stopCause && !lie && { stopCause }),
    }
  }

  private emit(event: HypervisorEvent): void {
    if (!this.connected) return
    if (this.eventsToLose > 0) this.eventsToLose--
    else for (const listener of this.listeners) listener(event)
  }

  private async call<T>(verb: Verb, action: () => T): Promise<T> {
    this.requireConnection()
    const [least, most] = this.options.latencyMs?.[verb] ?? [0, 0]
    const latencyMs = least + this.options.random.fraction() * (most - least)
    return this.faults.carryOut(verb, latencyMs, () => {
      this.requireConnection()
      return action()
    })
  }

  private requireConnection(): void {
    if (!this.connected) {
      throw new CloudError('Unavailable', 'There is no connection to the simulated hypervisor', {
        details: { outcome: 'not-sent' },
      })
    }
  }
}
