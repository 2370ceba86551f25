import { expect, it } from '@jest/globals'
import type { Subject } from './subject.js'

/** What is seen of the host, of its guests, and of what is not ours. */
export function describeLooks(subject: Subject): void {
  it('describes its host', async () => {
    const description = await subject.hypervisor.describe()
    expect(description.cpus).toBeGreaterThan(0)
    expect(description.memoryMiB).toBeGreaterThan(0)
    expect(description.hypervisorVersion).toBeGreaterThan(0)
    expect(description.virtTypeReason).not.toBe('')
    expect(description.hostName).not.toBe('')
  })

  it('keeps what a guest wrote to its console', async () => {
    const serverId = await subject.start()
    await subject.eventually(async () =>
      (await subject.hypervisor.consoleOutput(serverId, 65_536)).includes(subject.world.greeting),
    )
    const all = await subject.hypervisor.consoleOutput(serverId, 65_536)
    expect(await subject.hypervisor.consoleOutput(serverId, 3)).toEqual(all.subarray(-3))
  })

  it('counts for guests that run, and for no others', async () => {
    const [running, off] = [await subject.start(), await subject.define()]
    const statistics = await subject.hypervisor.statistics()
    expect(statistics.find((each) => each.serverId === running)!.cpuTimeNs).toBeGreaterThanOrEqual(0n)
    expect(statistics.find((each) => each.serverId === off)).toBeUndefined()
  })

  it('neither lists nor counts what is not ours', async () => {
    await subject.world.startForeigner?.()
    const ours = await subject.start()
    expect((await subject.hypervisor.list()).map((guest) => guest.serverId)).toEqual([ours])
    expect((await subject.hypervisor.statistics()).map((guest) => guest.serverId)).toEqual([ours])
  })

  it('takes many calls about different guests at once', async () => {
    const guests = await Promise.all(Array.from({ length: 12 }, () => subject.definition()))
    await Promise.all(guests.map((guest) => subject.hypervisor.define(guest)))
    expect((await subject.hypervisor.list()).map((guest) => guest.serverId).sort()).toEqual(
      guests.map((guest) => guest.serverId).sort(),
    )
    await Promise.all(guests.map((guest) => subject.hypervisor.undefine(guest.serverId)))
    expect(await subject.hypervisor.list()).toEqual([])
  })
}
