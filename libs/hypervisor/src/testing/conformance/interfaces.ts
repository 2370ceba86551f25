import { expect, it } from '@jest/globals'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import type { Subject } from './subject.js'

/** The network interfaces of guests. */
export function describeInterfaces(subject: Subject): void {
  it('gives a guest the interfaces of its definition, in their order', async () => {
    const nics = [await subject.world.prepareNic(), await subject.world.prepareNic()]
    const serverId = await subject.define({ nics })
    expect(await subject.hypervisor.nics(serverId)).toEqual(nics)
    await subject.hypervisor.start(serverId)
    expect(await subject.hypervisor.nics(serverId)).toEqual(nics)
  })

  it('plugs an interface into a running guest and takes it off, each once, and keeps it over a restart', async () => {
    const [first, second] = [await subject.world.prepareNic(), await subject.world.prepareNic()]
    const serverId = await subject.define({ nics: [first] })
    await subject.hypervisor.start(serverId)
    await subject.world.booted(serverId)
    for (let time = 0; time < 2; time++) await subject.hypervisor.attachNic(serverId, second)
    expect(await subject.hypervisor.nics(serverId)).toEqual([first, second])
    await subject.hypervisor.powerOff(serverId)
    await subject.hypervisor.start(serverId)
    await subject.world.booted(serverId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([first, second])
    for (let time = 0; time < 2; time++) await subject.hypervisor.detachNic(serverId, first.portId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([second])
    await subject.hypervisor.powerOff(serverId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([second])
  })

  it('changes the interfaces of a guest that is off', async () => {
    const [first, second] = [await subject.world.prepareNic(), await subject.world.prepareNic()]
    const serverId = await subject.define({ nics: [first] })
    await subject.hypervisor.attachNic(serverId, second)
    await subject.hypervisor.detachNic(serverId, first.portId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([second])
    await subject.hypervisor.start(serverId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([second])
  })

  it('says that a guest has not let go of an interface, and takes it off when it has', async () => {
    if (!subject.world.clingTo) return
    const nic = await subject.world.prepareNic()
    const serverId = await subject.define({ nics: [nic] })
    await subject.hypervisor.start(serverId)
    await subject.world.clingTo(serverId)
    await expect(subject.hypervisor.detachNic(serverId, nic.portId)).rejects.toMatchObject({ kind: 'Unavailable' })
    expect(await subject.hypervisor.nics(serverId)).toEqual([nic])
    await subject.hypervisor.powerOff(serverId)
    await subject.hypervisor.detachNic(serverId, nic.portId)
    expect(await subject.hypervisor.nics(serverId)).toEqual([])
  })

  it('knows no interfaces of a guest that was never defined', async () => {
    const serverId = newId<ServerId>(systemRandom)
    const nic = await subject.world.prepareNic()
    const unknown = { kind: 'NotFound' }
    await expect(subject.hypervisor.nics(serverId)).rejects.toMatchObject(unknown)
    await expect(subject.hypervisor.attachNic(serverId, nic)).rejects.toMatchObject(unknown)
    await expect(subject.hypervisor.detachNic(serverId, nic.portId)).rejects.toMatchObject(unknown)
  })
}
