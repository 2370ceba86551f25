import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { computeQueue } from '@nubo/contract'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import type { Agent } from './agent.js'
import { noDisks } from './guests/disk-maker.js'
import { eventually } from './testing/eventually.js'
import { guestSpecification, newServer, TestHost, untilAborted } from './testing/test-agent.js'
import { VirtualClock } from './testing/virtual-clock.js'

describe('an agent whose host was fenced', () => {
  let clock: VirtualClock
  let host: TestHost
  let agent: Agent
  const [moved, stays] = [newServer(), newServer()]
  const build = (serverId = moved) => ({ kind: 'build' as const, serverId, guest: guestSpecification() })
  const here = async () => (await host.hypervisor.list()).map((guest) => guest.serverId)
  const removed = () => host.conductor.all('guests-removed').flatMap((each) => each.guests)

  beforeEach(async () => {
    clock = new VirtualClock()
    host = TestHost.onClock(clock)
    agent = await host.startAgent()
    await host.conductor.done(build(moved))
    await host.conductor.done(build(stays))
    // An operator says that the host is dead, and one of its guests is given up.
    host.conductor.fencingEpoch = 2
    host.conductor.remove = [{ serverId: moved, incarnation: 1, fencingEpoch: 1 }]
  })
  afterEach(() => host.close())

  async function startAgain({ registered = true } = {}): Promise<void> {
    await host.stopAgent()
    agent = await host.startAgent({ registered })
  }

  it('removes what was given up, says so, and leaves the rest as it is', async () => {
    await startAgain()
    expect(await here()).toEqual([stays])
    expect((await host.hypervisor.inspect(stays))!.powerState).toBe('running')
    expect(removed()).toEqual([{ serverId: moved, incarnation: 1 }])
    host.conductor.remove = []
    await startAgain()
    const registrations = host.conductor.all('register')
    expect(registrations.map((each) => each.fencingEpoch)).toEqual([0, 1, 2])
    expect(registrations.at(-1)!.guests.map((guest) => guest.serverId)).toEqual([stays])
  })

  it('does nothing else before that is done', async () => {
    let open = () => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    let removing = false
    const undefine = host.hypervisor.undefine.bind(host.hypervisor)
    host.hypervisor.undefine = async (serverId) => {
      removing = true
      await gate
      await undefine(serverId)
    }
    await startAgain({ registered: false })
    await eventually(() => removing)
    await host.conductor.command({ kind: 'stop', serverId: stays, graceMs: 1_000 })
    await clock.pass(5_000)
    expect(agent.isRegistered).toBe(false)
    expect((await host.hypervisor.inspect(stays))!.powerState).toBe('running')
    open()
    await eventually(() => agent.isRegistered)
    expect(await here()).toEqual([stays])
  })

  it('ends what is under way for a server that was given up, and lets it leave nothing', async () => {
    host.conductor.remove = []
    let aborted = false
    host.disks = untilAborted(() => (aborted = true))
    await startAgain()
    const late = newServer()
    await host.conductor.command(build(late))
    await clock.pass(100)
    host.conductor.fencingEpoch = 3
    host.conductor.remove = [{ serverId: late, incarnation: 1, fencingEpoch: 2 }]
    const { hostId, sessionId } = { hostId: host.hostId, sessionId: host.conductor.sessionId }
    await host.queue.cast(computeQueue(hostId), { kind: 'unknown-session', hostId, sessionId })
    await eventually(() => removed().some((each) => each.serverId === late))
    expect(aborted).toBe(true)
    host.disks = noDisks
    await startAgain()
    expect(await here()).not.toContain(late)
    expect(
      host.conductor
        .all('register')
        .at(-1)!
        .guests.map((guest) => guest.serverId),
    ).not.toContain(late)
  })

  it('has no session while the fence stands, says why, removes what was given up all the same, and asks again', async () => {
    host.conductor.refusal = 'it was declared dead'
    await startAgain({ registered: false })
    await eventually(() => agent.refusal !== undefined)
    expect(agent).toMatchObject({ isRegistered: false, refusal: 'it was declared dead' })
    expect(await here()).toEqual([stays])
    host.conductor.refusal = undefined
    await clock.pass(15_000)
    expect(agent).toMatchObject({ isRegistered: true, refusal: undefined })
  })

  it('keeps its epoch on its disk, and takes no answer and no command of one that is over', async () => {
    await startAgain()
    host.conductor.fencingEpoch = 1
    await startAgain({ registered: false })
    await host.conductor.command({ kind: 'destroy', serverId: stays })
    await clock.pass(15_000)
    expect(agent.isRegistered).toBe(false)
    expect(await here()).toEqual([stays])
    host.conductor.fencingEpoch = 2
    await clock.pass(15_000)
    expect(agent.isRegistered).toBe(true)
    await host.conductor.command({ kind: 'destroy', serverId: stays, fencingEpoch: 1 })
    await host.conductor.done({ kind: 'reboot', serverId: stays, type: 'hard', graceMs: 0 })
    expect(await here()).toEqual([stays])
  })

  it('does not start in the directory of another host', async () => {
    await host.stopAgent()
    Object.assign(host, { hostId: newId<HostId>(systemRandom) })
    await expect(host.startAgent({ registered: false })).rejects.toThrow(/belongs to host/)
  })
})
