import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ServerCommand } from '@nubo/contract'
import { SimulatedHostNetwork } from '@nubo/host-network'
import type { Conductor } from './testing/conductor.js'
import { eventually } from './testing/eventually.js'
import { guestSpecification, newNic, newServer, TestHost } from './testing/test-agent.js'

describe("a guest's interfaces", () => {
  let host: TestHost
  let conductor: Conductor
  const serverId = newServer()
  const [first, second] = [newNic(), newNic()]
  const build = (...nics: (typeof first)[]) => ({ kind: 'build' as const, serverId, guest: { ...guestSpecification(), nics } })
  const portsOf = async () => (await host.hypervisor.nics(serverId)).map(({ portId }) => portId)
  const running = { state: 'done', powerState: 1 }

  beforeEach(async () => {
    host = await TestHost.make()
    conductor = host.conductor
    await host.startAgent()
  })
  afterEach(() => host.close())

  it('are there when it starts, and it starts when their ports are in force, and no earlier', async () => {
    const command = await conductor.command(build(first, second))
    await host.carry(first.portId)
    // Another command of the same host goes on meanwhile.
    expect(await conductor.done({ kind: 'build', serverId: newServer(), guest: guestSpecification() })).toEqual(running)
    expect(await host.hypervisor.inspect(serverId)).toBeUndefined()
    await host.carry(second.portId)
    expect((await conductor.resultOf(command)).outcome).toEqual(running)
    const [{ portId, mac, mtu }] = [first]
    expect((await host.hypervisor.nics(serverId))[0]).toEqual({ portId, mac, mtu, ...host.network.plug(portId) })
    expect(await portsOf()).toEqual([first.portId, second.portId])
  })

  it('that do not come in time are its host not being able to, so that another one is tried', async () => {
    expect(await conductor.done({ ...build(first), timeoutMs: 50 })).toMatchObject({
      state: 'failed',
      failure: { scope: 'host', message: expect.stringContaining('networks') },
    })
    expect(await host.hypervisor.list()).toEqual([])
  })

  it('are waited for no longer when they are deleted, and it is told again without them', async () => {
    await host.carry(first.portId)
    const command = await conductor.command(build(first, second))
    const { guest } = build(first)
    await conductor.repeat({ ...command, guest } as ServerCommand)
    // As it was told before: late.
    await conductor.repeat(command)
    expect((await conductor.resultOf(command)).outcome).toEqual(running)
    expect(await portsOf()).toEqual([first.portId])
  })

  it('are waited for no longer when it is to be destroyed', async () => {
    await conductor.command(build(first))
    expect(await conductor.done({ kind: 'destroy', serverId })).toEqual({ state: 'done', powerState: 0 })
  })

  it('are plugged in and out while it runs, and stay so', async () => {
    await host.carry(first.portId)
    await conductor.done(build(first))
    const attaching = await conductor.command({ kind: 'attach-interface', serverId, nic: second })
    await host.carry(second.portId)
    expect((await conductor.resultOf(attaching)).outcome).toEqual(running)
    expect(await portsOf()).toEqual([first.portId, second.portId])
    expect(await conductor.done({ kind: 'detach-interface', serverId, portId: first.portId })).toEqual(running)
    expect(await portsOf()).toEqual([second.portId])
    await conductor.done({ kind: 'reboot', serverId, type: 'hard', graceMs: 0, nics: [second] })
    expect(await portsOf()).toEqual([second.portId])
  })

  it('are changed on a guest that is off, for its next start', async () => {
    await host.carry(first.portId, second.portId)
    await conductor.done(build(first))
    await conductor.done({ kind: 'stop', serverId, graceMs: 0, nics: [] })
    const off = { state: 'done', powerState: 4 }
    expect(await conductor.done({ kind: 'attach-interface', serverId, nic: second })).toEqual(off)
    expect(await conductor.done({ kind: 'detach-interface', serverId, portId: first.portId })).toEqual(off)
    expect(await portsOf()).toEqual([second.portId])
    expect(await conductor.done({ kind: 'start', serverId, nics: [second] })).toEqual(running)
    expect(await portsOf()).toEqual([second.portId])
  })

  it('are what a start says, whatever became of them while nobody could tell', async () => {
    await host.carry(first.portId, second.portId)
    await conductor.done(build(first))
    await conductor.done({ kind: 'stop', serverId, graceMs: 0 })
    expect(await conductor.done({ kind: 'start', serverId, nics: [second] })).toEqual(running)
    expect(await portsOf()).toEqual([second.portId])
  })

  it('are plugged in again by a start after the host itself was started again, when its networks are', async () => {
    await host.carry(first.portId)
    await conductor.done(build(first))
    await host.stopAgent()
    host.hypervisor.powerCut()
    host.bootId = 'second boot'
    host.network = new SimulatedHostNetwork()
    host.network.trouble = 'the host is not that far yet'
    await host.startAgent()
    const starting = await conductor.command({ kind: 'start', serverId, nics: [first] })
    expect(await conductor.done({ kind: 'destroy', serverId: newServer() })).toMatchObject({ state: 'done' })
    expect(await host.hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown' })
    host.network.trouble = undefined
    await host.carry(first.portId)
    expect((await conductor.resultOf(starting)).outcome).toEqual(running)
  })

  it('stay where a guest does not let go of them in time, and the command says why', async () => {
    await host.carry(first.portId)
    await conductor.done(build(first))
    host.hypervisor.ignoreButton(serverId)
    const outcome = await conductor.done({ kind: 'detach-interface', serverId, portId: first.portId, timeoutMs: 50 })
    expect(outcome).toMatchObject({ state: 'failed', powerState: 0, failure: { message: expect.stringContaining('let go') } })
    expect(await portsOf()).toEqual([first.portId])
  })

  it('of a port that it has not are taken off it all the same', async () => {
    await conductor.done(build())
    expect(await conductor.done({ kind: 'detach-interface', serverId, portId: first.portId })).toEqual(running)
  })

  it('survive the end of the agent in the middle of a change', async () => {
    await host.carry(first.portId, second.portId)
    await conductor.done(build(first))
    host.hypervisor.faults.plan('attachNic', 'stall')
    const attaching = await conductor.command({ kind: 'attach-interface', serverId, nic: second })
    await eventually(() => host.hypervisor.faults.stalledCalls === 1)
    host.hypervisor.faults.release()
    await host.stopAgent()
    await host.startAgent()
    await conductor.repeat({ ...attaching, sessionId: conductor.sessionId! })
    expect((await conductor.resultOf(attaching)).outcome).toEqual(running)
    expect(await portsOf()).toEqual([first.portId, second.portId])
  })
})
