import { expect, it } from '@jest/globals'
import type { HypervisorEvent } from '../../index.js'
import type { Subject } from './subject.js'

/** How guests end, by whomever, and what is told of it. */
export function describeEnds(subject: Subject): void {
  it('tells that a guest powered itself off', async () => {
    const serverId = await subject.start()
    await subject.world.booted(serverId)
    await subject.world.powerOffFromInside(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'guest-shutdown' })
    expect(await subject.powerState(serverId)).toBe('shutdown')
  })

  it('tells that a guest was destroyed from elsewhere', async () => {
    const serverId = await subject.start()
    await subject.world.destroyFromElsewhere(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'destroyed' })
  })

  it('tells that the process of a guest was killed', async () => {
    if (!subject.world.killProcess) return
    const serverId = await subject.start()
    await subject.world.killProcess(serverId)
    expect(await subject.stopOf(serverId)).toMatchObject({ cause: 'killed' })
    expect(await subject.hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown' })
  })

  it('says when it was cut off and when it is back, and then knows what happened meanwhile', async () => {
    const [stays, goes] = [await subject.start(), await subject.start()]
    await subject.world.interrupt(async () => {
      await subject.eventually(() => subject.events.some((event) => event.kind === 'disconnected'))
      await expect(subject.hypervisor.list()).rejects.toMatchObject({ kind: 'Unavailable' })
      await expect(subject.hypervisor.powerOff(stays)).rejects.toMatchObject({ kind: 'Unavailable' })
      await subject.world.destroyFromElsewhere(goes)
    })
    await subject.eventually(() => subject.events.some((event) => event.kind === 'reconnected'))
    expect(await subject.powerState(stays)).toBe('running')
    expect(await subject.hypervisor.inspect(goes)).toMatchObject({ powerState: 'shutdown', stopCause: 'destroyed' })
    await subject.hypervisor.powerOff(stays)
    expect(await subject.stopOf(stays)).toMatchObject({ cause: 'destroyed' })
  })

  it('tells nothing more to whoever stopped watching', async () => {
    const heard: HypervisorEvent[] = []
    const other = subject.hypervisor.watch((event) => heard.push(event))
    other.stop()
    const serverId = await subject.start()
    await subject.eventually(() => subject.events.some((event) => event.kind === 'started' && event.serverId === serverId))
    expect(heard).toEqual([])
  })
}
