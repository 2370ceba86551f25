import { expect, it } from '@jest/globals'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import type { Subject } from './subject.js'

/** Definitions, and the power of guests. */
export function describePower(subject: Subject): void {
  it('keeps a defined guest off, with its stamp, whatever its tenant calls it', async () => {
    const guest = await subject.definition({ name: '</nubo:name>\0\u{1F600}"&\u{D800}', incarnation: 7, fencingEpoch: 3 })
    await subject.hypervisor.define(guest)
    const { serverId, projectId, incarnation, fencingEpoch } = guest
    const expected = { serverId, projectId, incarnation, fencingEpoch, powerState: 'shutdown' }
    expect(await subject.hypervisor.inspect(serverId)).toMatchObject(expected)
    expect((await subject.hypervisor.list()).find((each) => each.serverId === serverId)).toMatchObject(expected)
  })

  it('takes a new definition for a guest that it knows', async () => {
    const guest = await subject.definition()
    await subject.hypervisor.define(guest)
    await subject.hypervisor.define({ ...guest, incarnation: 2, memoryMiB: 96 })
    expect((await subject.hypervisor.inspect(guest.serverId))?.incarnation).toBe(2)
  })

  it('refuses a guest that cannot be', async () => {
    await expect(subject.hypervisor.define(await subject.definition({ vcpus: 0 }))).rejects.toMatchObject({ kind: 'Invalid' })
  })

  it('starts a guest, and starts it no second time', async () => {
    const serverId = await subject.start()
    expect(await subject.powerState(serverId)).toBe('running')
    await subject.hypervisor.start(serverId)
    await subject.eventually(() => subject.events.some((event) => event.kind === 'started' && event.serverId === serverId))
    expect(subject.events.filter((event) => event.kind === 'started' && event.serverId === serverId)).toHaveLength(1)
  })

  it('shuts a guest down by its power button', async () => {
    const serverId = await subject.start()
    await subject.world.booted(serverId)
    await subject.hypervisor.shutdown(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'guest-shutdown' })
    expect(await subject.hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'guest-shutdown' })
    await subject.hypervisor.shutdown(serverId)
  })

  it('pulls the plug of a guest that does not heed its button', async () => {
    if (!subject.world.ignoreButton) return
    const serverId = await subject.start()
    await subject.world.booted(serverId)
    await subject.world.ignoreButton(serverId)
    await subject.hypervisor.shutdown(serverId)
    await subject.hypervisor.powerOff(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
  })

  it('powers off a guest at once, and one that is off or unknown not at all', async () => {
    const serverId = await subject.start()
    await subject.hypervisor.powerOff(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
    expect(await subject.hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'destroyed' })
    await subject.hypervisor.powerOff(serverId)
    await subject.hypervisor.powerOff(newId<ServerId>(systemRandom))
  })

  it('starts a guest again that was off', async () => {
    const serverId = await subject.start()
    await subject.hypervisor.powerOff(serverId)
    await subject.hypervisor.start(serverId)
    expect(await subject.hypervisor.inspect(serverId)).toEqual(expect.not.objectContaining({ stopCause: expect.anything() }))
    expect(await subject.powerState(serverId)).toBe('running')
  })

  it('forgets a guest that is off, and refuses to while it runs', async () => {
    const serverId = await subject.start()
    await expect(subject.hypervisor.undefine(serverId)).rejects.toMatchObject({ kind: 'Conflict' })
    expect(await subject.powerState(serverId)).toBe('running')
    await subject.hypervisor.powerOff(serverId)
    await subject.hypervisor.undefine(serverId)
    expect(await subject.hypervisor.inspect(serverId)).toBeUndefined()
    expect((await subject.hypervisor.list()).map((guest) => guest.serverId)).not.toContain(serverId)
    expect(await subject.hypervisor.consoleOutput(serverId, 1000)).toHaveLength(0)
    await subject.hypervisor.undefine(serverId)
  })

  for (const verb of ['start', 'shutdown', 'reboot', 'reset'] as const) {
    it(`knows no guest to ${verb} that was never defined`, async () => {
      await expect(subject.hypervisor[verb](newId<ServerId>(systemRandom))).rejects.toMatchObject({ kind: 'NotFound' })
    })
  }

  for (const verb of ['reboot', 'reset'] as const) {
    it(`restarts a guest by ${verb}`, async () => {
      const serverId = await subject.start()
      await subject.world.booted(serverId)
      await subject.hypervisor[verb](serverId)
      if (subject.world.tellsReboots)
        await subject.eventually(() => subject.events.some((event) => event.kind === 'rebooted' && event.serverId === serverId))
      expect(await subject.powerState(serverId)).toBe('running')
    })
  }

  for (const verb of ['reboot', 'reset'] as const) {
    it(`refuses to ${verb} a guest that is off`, async () => {
      await expect(subject.hypervisor[verb](await subject.define())).rejects.toMatchObject({ kind: 'Conflict' })
    })
  }
}
