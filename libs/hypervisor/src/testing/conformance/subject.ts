import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { newId, systemRandom, type ProjectId, type ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic, Hypervisor, HypervisorEvent, Watch } from '../../index.js'
import { eventually } from '../eventually.js'

/** A hypervisor, and the hands to do what happens to it from elsewhere. */
export interface HypervisorUnderTest {
  hypervisor: Hypervisor
  /** Disks and all for a guest that says something on its console and heeds the power button. */
  prepareGuest(serverId: ServerId): Promise<Pick<GuestDefinition, 'disks' | 'configDrivePath'>>
  /** Resolves when the guest has come far enough to heed its power button. */
  booted(serverId: ServerId): Promise<void>
  /** `poweroff` inside the guest. */
  powerOffFromInside(serverId: ServerId): Promise<void>
  /** As `virsh destroy` does it. */
  destroyFromElsewhere(serverId: ServerId): Promise<void>
  /** Makes the guest deaf to its power button. Absent where guests cannot be. */
  ignoreButton?(serverId: ServerId): Promise<void>
  /** `kill -9` of what runs the guest. Absent where there is no process. */
  killProcess?(serverId: ServerId): Promise<void>
  /** An interface that can be plugged into a guest of this host. */
  prepareNic(): Promise<GuestNic>
  /** From now on the guest lets go of no interface. Absent where guests cannot refuse. */
  clingTo?(serverId: ServerId): Promise<void>
  /** Cuts the connection, does `meanwhile`, lets it come back. */
  interrupt(meanwhile: () => Promise<void>): Promise<void>
  /** What the guest writes to its console when it starts; empty where guests have none. */
  greeting: string
  /** Whether a restart of the guest raises an event. */
  tellsReboots: boolean
  /** A running guest without our stamp. Absent where there is nobody else. */
  startForeigner?(): Promise<void>
  close(): Promise<void>
}

/** The hypervisor that the suite is about, what it has told since the test began, and guests that go when the test ends. */
export class Subject {
  world!: HypervisorUnderTest
  events: HypervisorEvent[] = []
  private watch: Watch | undefined
  private defined: ServerId[] = []

  constructor(
    private readonly open: () => Promise<HypervisorUnderTest>,
    private readonly waitMs: number,
  ) {}

  /** To be called where the tests are described: it is there from before the first until after the last. */
  attend(): void {
    beforeAll(async () => {
      this.world = await this.open()
    })
    afterAll(async () => this.world?.close())
    beforeEach(() => {
      this.events = []
      this.watch = this.hypervisor.watch((event) => this.events.push(event))
    })
    afterEach(async () => {
      this.watch?.stop()
      for (const serverId of this.defined.splice(0)) {
        await this.hypervisor.powerOff(serverId)
        await this.hypervisor.undefine(serverId)
      }
    })
  }

  get hypervisor(): Hypervisor {
    return this.world.hypervisor
  }

  async definition(overrides: Partial<GuestDefinition> = {}): Promise<GuestDefinition> {
    const serverId = newId<ServerId>(systemRandom)
    this.defined.push(serverId)
    return {
      serverId,
      projectId: newId<ProjectId>(systemRandom),
      incarnation: 1,
      fencingEpoch: 1,
      name: 'web-1',
      vcpus: 1,
      memoryMiB: 64,
      nics: [],
      ...(await this.world.prepareGuest(serverId)),
      ...overrides,
    }
  }

  async define(overrides: Partial<GuestDefinition> = {}): Promise<ServerId> {
    const guest = await this.definition(overrides)
    await this.hypervisor.define(guest)
    return guest.serverId
  }

  async start(): Promise<ServerId> {
    const serverId = await this.define()
    await this.hypervisor.start(serverId)
    return serverId
  }

  async eventually<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
    return await eventually(look, { withinMs: this.waitMs })
  }

  async stopOf(serverId: ServerId) {
    return await this.eventually(() => this.events.find((event) => event.kind === 'stopped' && event.serverId === serverId))
  }

  async powerState(serverId: ServerId) {
    return (await this.hypervisor.inspect(serverId))?.powerState
  }
}
