import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { newId, systemRandom, type ProjectId, type ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic, Hypervisor, HypervisorEvent, Watch } from '../index.js'
import { eventually } from './eventually.js'

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

/** What every driver must do, and what callers may rely on. `waitMs`: the longest that anything takes. */
export function describeHypervisor(name: string, open: () => Promise<HypervisorUnderTest>, { waitMs = 20_000 } = {}): void {
  jest.setTimeout(3 * waitMs)

  describe(`${name}, as a hypervisor`, () => {
    let world: HypervisorUnderTest
    let hypervisor: Hypervisor
    let events: HypervisorEvent[]
    let watch: Watch
    let defined: ServerId[]

    beforeAll(async () => {
      world = await open()
      hypervisor = world.hypervisor
    })
    afterAll(async () => world?.close())
    beforeEach(() => {
      events = []
      defined = []
      watch = hypervisor.watch((event) => events.push(event))
    })
    afterEach(async () => {
      watch.stop()
      for (const serverId of defined) {
        await hypervisor.powerOff(serverId)
        await hypervisor.undefine(serverId)
      }
    })

    async function definition(overrides: Partial<GuestDefinition> = {}): Promise<GuestDefinition> {
      const serverId = newId<ServerId>(systemRandom)
      defined.push(serverId)
      return {
        serverId,
        projectId: newId<ProjectId>(systemRandom),
        incarnation: 1,
        fencingEpoch: 1,
        name: 'web-1',
        vcpus: 1,
        memoryMiB: 64,
        nics: [],
        ...(await world.prepareGuest(serverId)),
        ...overrides,
      }
    }
    async function define(overrides: Partial<GuestDefinition> = {}): Promise<ServerId> {
      const guest = await definition(overrides)
      await hypervisor.define(guest)
      return guest.serverId
    }
    async function start(): Promise<ServerId> {
      const serverId = await define()
      await hypervisor.start(serverId)
      return serverId
    }
    const eventually_ = <T>(look: () => T | Promise<T>) => eventually(look, { withinMs: waitMs })
    const stopOf = (serverId: ServerId) =>
      eventually_(() => events.find((event) => event.kind === 'stopped' && event.serverId === serverId))
    const powerState = async (serverId: ServerId) => (await hypervisor.inspect(serverId))?.powerState

    it('describes its host', async () => {
      const description = await hypervisor.describe()
      expect(description.cpus).toBeGreaterThan(0)
      expect(description.memoryMiB).toBeGreaterThan(0)
      expect(description.hypervisorVersion).toBeGreaterThan(0)
      expect(description.virtTypeReason).not.toBe('')
      expect(description.hostName).not.toBe('')
    })

    it('keeps a defined guest off, with its stamp, whatever its tenant calls it', async () => {
      const guest = await definition({ name: '</nubo:name>\0\u{1F600}"&\u{D800}', incarnation: 7, fencingEpoch: 3 })
      await hypervisor.define(guest)
      const { serverId, projectId, incarnation, fencingEpoch } = guest
      const expected = { serverId, projectId, incarnation, fencingEpoch, powerState: 'shutdown' }
      expect(await hypervisor.inspect(serverId)).toMatchObject(expected)
      expect((await hypervisor.list()).find((each) => each.serverId === serverId)).toMatchObject(expected)
    })

    it('takes a new definition for a guest that it knows', async () => {
      const guest = await definition()
      await hypervisor.define(guest)
      await hypervisor.define({ ...guest, incarnation: 2, memoryMiB: 96 })
      expect((await hypervisor.inspect(guest.serverId))?.incarnation).toBe(2)
    })

    it('refuses a guest that cannot be', async () => {
      await expect(hypervisor.define(await definition({ vcpus: 0 }))).rejects.toMatchObject({ kind: 'Invalid' })
    })

    it('starts a guest, and starts it no second time', async () => {
      const serverId = await start()
      expect(await powerState(serverId)).toBe('running')
      await hypervisor.start(serverId)
      await eventually_(() => events.some((event) => event.kind === 'started' && event.serverId === serverId))
      expect(events.filter((event) => event.kind === 'started' && event.serverId === serverId)).toHaveLength(1)
    })

    it('shuts a guest down by its power button', async () => {
      const serverId = await start()
      await world.booted(serverId)
      await hypervisor.shutdown(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'guest-shutdown' })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'guest-shutdown' })
      await hypervisor.shutdown(serverId)
    })

    it('pulls the plug of a guest that does not heed its button', async () => {
      if (!world.ignoreButton) return
      const serverId = await start()
      await world.booted(serverId)
      await world.ignoreButton(serverId)
      await hypervisor.shutdown(serverId)
      await hypervisor.powerOff(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
    })

    it('powers off a guest at once, and one that is off or unknown not at all', async () => {
      const serverId = await start()
      await hypervisor.powerOff(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'destroyed' })
      await hypervisor.powerOff(serverId)
      await hypervisor.powerOff(newId<ServerId>(systemRandom))
    })

    it('starts a guest again that was off', async () => {
      const serverId = await start()
      await hypervisor.powerOff(serverId)
      await hypervisor.start(serverId)
      expect(await hypervisor.inspect(serverId)).toEqual(expect.not.objectContaining({ stopCause: expect.anything() }))
      expect(await powerState(serverId)).toBe('running')
    })

    it('forgets a guest that is off, and refuses to while it runs', async () => {
      const serverId = await start()
      await expect(hypervisor.undefine(serverId)).rejects.toMatchObject({ kind: 'Conflict' })
      expect(await powerState(serverId)).toBe('running')
      await hypervisor.powerOff(serverId)
      await hypervisor.undefine(serverId)
      expect(await hypervisor.inspect(serverId)).toBeUndefined()
      expect((await hypervisor.list()).map((guest) => guest.serverId)).not.toContain(serverId)
      expect(await hypervisor.consoleOutput(serverId, 1000)).toHaveLength(0)
      await hypervisor.undefine(serverId)
    })

    for (const verb of ['start', 'shutdown', 'reboot', 'reset'] as const) {
      it(`knows no guest to ${verb} that was never defined`, async () => {
        await expect(hypervisor[verb](newId<ServerId>(systemRandom))).rejects.toMatchObject({ kind: 'NotFound' })
      })
    }

    for (const verb of ['reboot', 'reset'] as const) {
      it(`restarts a guest by ${verb}`, async () => {
        const serverId = await start()
        await world.booted(serverId)
        await hypervisor[verb](serverId)
        if (world.tellsReboots)
          await eventually_(() => events.some((event) => event.kind === 'rebooted' && event.serverId === serverId))
        expect(await powerState(serverId)).toBe('running')
      })
    }

    for (const verb of ['reboot', 'reset'] as const) {
      it(`refuses to ${verb} a guest that is off`, async () => {
        await expect(hypervisor[verb](await define())).rejects.toMatchObject({ kind: 'Conflict' })
      })
    }

    it('tells that a guest powered itself off', async () => {
      const serverId = await start()
      await world.booted(serverId)
      await world.powerOffFromInside(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'guest-shutdown' })
      expect(await powerState(serverId)).toBe('shutdown')
    })

    it('tells that a guest was destroyed from elsewhere', async () => {
      const serverId = await start()
      await world.destroyFromElsewhere(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
    })

    it('tells that the process of a guest was killed', async () => {
      if (!world.killProcess) return
      const serverId = await start()
      await world.killProcess(serverId)
      expect(await stopOf(serverId)).toMatchObject({ cause: 'killed' })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown' })
    })

    it('gives a guest the interfaces of its definition, in their order', async () => {
      const nics = [await world.prepareNic(), await world.prepareNic()]
      const serverId = await define({ nics })
      expect(await hypervisor.nics(serverId)).toEqual(nics)
      await hypervisor.start(serverId)
      expect(await hypervisor.nics(serverId)).toEqual(nics)
    })

    it('plugs an interface into a running guest and takes it off, each once, and keeps it over a restart', async () => {
      const [first, second] = [await world.prepareNic(), await world.prepareNic()]
      const serverId = await define({ nics: [first] })
      await hypervisor.start(serverId)
      await world.booted(serverId)
      for (let time = 0; time < 2; time++) await hypervisor.attachNic(serverId, second)
      expect(await hypervisor.nics(serverId)).toEqual([first, second])
      await hypervisor.powerOff(serverId)
      await hypervisor.start(serverId)
      await world.booted(serverId)
      expect(await hypervisor.nics(serverId)).toEqual([first, second])
      for (let time = 0; time < 2; time++) await hypervisor.detachNic(serverId, first.portId)
      expect(await hypervisor.nics(serverId)).toEqual([second])
      await hypervisor.powerOff(serverId)
      expect(await hypervisor.nics(serverId)).toEqual([second])
    })

    it('changes the interfaces of a guest that is off', async () => {
      const [first, second] = [await world.prepareNic(), await world.prepareNic()]
      const serverId = await define({ nics: [first] })
      await hypervisor.attachNic(serverId, second)
      await hypervisor.detachNic(serverId, first.portId)
      expect(await hypervisor.nics(serverId)).toEqual([second])
      await hypervisor.start(serverId)
      expect(await hypervisor.nics(serverId)).toEqual([second])
    })

    it('says that a guest has not let go of an interface, and takes it off when it has', async () => {
      if (!world.clingTo) return
      const nic = await world.prepareNic()
      const serverId = await define({ nics: [nic] })
      await hypervisor.start(serverId)
      await world.clingTo(serverId)
      await expect(hypervisor.detachNic(serverId, nic.portId)).rejects.toMatchObject({ kind: 'Unavailable' })
      expect(await hypervisor.nics(serverId)).toEqual([nic])
      await hypervisor.powerOff(serverId)
      await hypervisor.detachNic(serverId, nic.portId)
      expect(await hypervisor.nics(serverId)).toEqual([])
    })

    it('knows no interfaces of a guest that was never defined', async () => {
      const serverId = newId<ServerId>(systemRandom)
      const nic = await world.prepareNic()
      const unknown = { kind: 'NotFound' }
      await expect(hypervisor.nics(serverId)).rejects.toMatchObject(unknown)
      await expect(hypervisor.attachNic(serverId, nic)).rejects.toMatchObject(unknown)
      await expect(hypervisor.detachNic(serverId, nic.portId)).rejects.toMatchObject(unknown)
    })

    it('keeps what a guest wrote to its console', async () => {
      const serverId = await start()
      await eventually_(async () => (await hypervisor.consoleOutput(serverId, 65_536)).includes(world.greeting))
      const all = await hypervisor.consoleOutput(serverId, 65_536)
      expect(await hypervisor.consoleOutput(serverId, 3)).toEqual(all.subarray(-3))
    })

    it('counts for guests that run, and for no others', async () => {
      const [running, off] = [await start(), await define()]
      const statistics = await hypervisor.statistics()
      expect(statistics.find((each) => each.serverId === running)!.cpuTimeNs).toBeGreaterThanOrEqual(0n)
      expect(statistics.find((each) => each.serverId === off)).toBeUndefined()
    })

    it('neither lists nor counts what is not ours', async () => {
      await world.startForeigner?.()
      const ours = await start()
      expect((await hypervisor.list()).map((guest) => guest.serverId)).toEqual([ours])
      expect((await hypervisor.statistics()).map((guest) => guest.serverId)).toEqual([ours])
    })

    it('takes many calls about different guests at once', async () => {
      const guests = await Promise.all(Array.from({ length: 12 }, () => definition()))
      await Promise.all(guests.map((guest) => hypervisor.define(guest)))
      expect((await hypervisor.list()).map((guest) => guest.serverId).sort()).toEqual(
        guests.map((guest) => guest.serverId).sort(),
      )
      await Promise.all(guests.map((guest) => hypervisor.undefine(guest.serverId)))
      expect(await hypervisor.list()).toEqual([])
    })

    it('says when it was cut off and when it is back, and then knows what happened meanwhile', async () => {
      const [stays, goes] = [await start(), await start()]
      await world.interrupt(async () => {
        await eventually_(() => events.some((event) => event.kind === 'disconnected'))
        await expect(hypervisor.list()).rejects.toMatchObject({ kind: 'Unavailable' })
        await expect(hypervisor.powerOff(stays)).rejects.toMatchObject({ kind: 'Unavailable' })
        await world.destroyFromElsewhere(goes)
      })
      await eventually_(() => events.some((event) => event.kind === 'reconnected'))
      expect(await powerState(stays)).toBe('running')
      expect(await hypervisor.inspect(goes)).toMatchObject({ powerState: 'shutdown', stopCause: 'destroyed' })
      await hypervisor.powerOff(stays)
      expect(await stopOf(stays)).toMatchObject({ cause: 'destroyed' })
    })

    it('tells nothing more to whoever stopped watching', async () => {
      const heard: HypervisorEvent[] = []
      const other = hypervisor.watch((event) => heard.push(event))
      other.stop()
      const serverId = await start()
      await eventually_(() => events.some((event) => event.kind === 'started' && event.serverId === serverId))
      expect(heard).toEqual([])
    })
  })
}
