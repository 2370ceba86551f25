import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ServerCommand } from '@nubo/contract'
import { newId, systemRandom, type PortId } from '@nubo/kernel'
import { guestSpecification, newServer, TestHost, untilAborted } from './testing/test-agent.js'
import { VirtualClock } from './testing/virtual-clock.js'

describe('in the course of time an agent', () => {
  let host: TestHost
  let clock: VirtualClock

  beforeEach(() => {
    clock = new VirtualClock()
    host = TestHost.onClock(clock)
  })
  afterEach(() => host.close())

  const build = () => ({ kind: 'build' as const, serverId: newServer(), guest: guestSpecification() })

  it('registers again when the answer does not come, and takes no notice of late ones', async () => {
    const { conductor } = host
    conductor.answers = false
    const agent = await host.startAgent({ registered: false })
    await clock.pass(25_000)
    const registrations = conductor.all('register')
    expect(registrations).toHaveLength(3)
    expect(new Set(registrations.map((each) => each.registrationId)).size).toBe(3)
    await conductor.answerRegistration(registrations[0]!.registrationId)
    await clock.pass(100)
    expect(agent.isRegistered).toBe(false)
    await conductor.answerRegistration(registrations[2]!.registrationId)
    await clock.pass(100)
    expect(agent.isRegistered).toBe(true)
  })

  it('registers anew when it hears what was answered to another agent of this host', async () => {
    const { conductor } = host
    const agent = await host.startAgent()
    await conductor.answerRegistration(newServer())
    await clock.pass(1_000)
    expect(conductor.all('register')).toHaveLength(2)
    expect(agent.isRegistered).toBe(true)
    await conductor.answerRegistration(conductor.all('register')[0]!.registrationId)
    await clock.pass(1_000)
    expect(conductor.all('register')).toHaveLength(2)
  })

  it('is refused with the other, where its own refusal was heard by that one', async () => {
    const { conductor } = host
    const agent = await host.startAgent()
    conductor.answers = false
    conductor.refusal = 'two agents register as this host'
    await conductor.answerRegistration(newServer())
    await conductor.answerRegistration(newServer())
    await clock.pass(1_000)
    expect(agent).toMatchObject({ isRegistered: false, refusal: conductor.refusal })
    conductor.answers = true
    conductor.refusal = undefined
    await clock.pass(15_000)
    expect(agent).toMatchObject({ isRegistered: true, refusal: undefined })
  })

  it('does not register again while nobody has taken its registration', async () => {
    await host.conductor.close()
    await host.startAgent({ registered: false })
    await clock.pass(60_000)
    expect(await host.queue.depth('reports')).toBe(1)
  })

  it('says again how its networks are: nobody waits for what a look has found, and may have lost it', async () => {
    const { conductor, network } = host
    await host.startAgent()
    await host.carry(newId<PortId>(systemRandom))
    network.warning = 'eth0 is too narrow'
    await clock.pass(120_000)
    const told = conductor.all('network-plan-applied').filter(({ warning }) => warning !== null)
    expect(told.length).toBeGreaterThan(1)
    const numbers = told.map(({ sequence }) => sequence!)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  })

  it('tells a result again, less and less often, until it is acknowledged', async () => {
    const { conductor } = host
    await host.startAgent()
    conductor.acknowledges = false
    const command = await conductor.command(build())
    await conductor.resultOf(command)
    await clock.pass(60_000)
    const times = conductor.all('result').filter((result) => result.fence === command.fence)
    expect(times.length).toBeGreaterThan(3)
    expect(times.length).toBeLessThan(10)
    expect(new Set(times.map((result) => result.sequence)).size).toBe(1)
    conductor.acknowledges = true
    await clock.pass(60_000)
    conductor.reports.length = 0
    await clock.pass(60_000)
    expect(conductor.all('result')).toEqual([])
  })

  it('sends heartbeats, some of them with its guests, and none while its hypervisor does not answer', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    const { serverId } = await conductor.resultOf(await conductor.command(build()))
    await clock.pass(60_000)
    const heartbeats = conductor.all('heartbeat')
    expect(heartbeats.length).toBeGreaterThanOrEqual(6)
    expect(heartbeats.at(-1)!.inventory).toMatchObject({
      totalVcpus: 4,
      totalMemoryMiB: 4096,
      reservedMemoryMiB: 256,
      virtType: 'simulated',
    })
    expect(heartbeats.flatMap((each) => each.guests)).toContainEqual(expect.objectContaining({ serverId, powerState: 1 }))
    const sequences = heartbeats.map((each) => each.sequence)
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
    hypervisor.disconnect()
    conductor.reports.length = 0
    await clock.pass(60_000)
    expect(conductor.all('heartbeat')).toEqual([])
  })

  it('is silent while nothing can be written to its journal, and goes on when it can', async () => {
    const { conductor } = host
    await host.startAgent()
    host.diskIsFull = true
    const command = await conductor.command(build())
    await clock.pass(15_000)
    conductor.reports.length = 0
    await clock.pass(60_000)
    expect(conductor.reports).toEqual([])
    host.diskIsFull = false
    await clock.pass(15_000)
    expect(conductor.all('heartbeat')).not.toEqual([])
    await conductor.repeat(command)
    await clock.pass(100)
    expect((await conductor.resultOf(command)).outcome).toMatchObject({ state: 'done' })
  })

  it('makes good what events did not tell', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    const { serverId } = await conductor.resultOf(await conductor.command(build()))
    hypervisor.loseEvents(1)
    hypervisor.kill(serverId)
    await clock.pass(30_000)
    expect(conductor.all('guest-changed')).toMatchObject([{ serverId, powerState: 4, cause: 'killed' }])
  })

  it('registers anew when it is commanded under a session that is not its own, and by nobody under its own', async () => {
    const { conductor } = host
    await host.startAgent()
    conductor.sessionId = newServer() as never
    const command = await conductor.command(build())
    await clock.pass(60_000)
    expect(conductor.all('register')).toHaveLength(2)
    await conductor.repeat({ ...command, sessionId: conductor.sessionId } as ServerCommand)
    await clock.pass(1_000)
    expect((await conductor.resultOf(command)).outcome).toMatchObject({ state: 'done' })
  })

  it('presses the button of a guest again that did not hear it the first time', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    const { serverId } = await conductor.resultOf(await conductor.command(build()))
    hypervisor.ignoreButton(serverId)
    const stopping = await conductor.command({ kind: 'stop', serverId, graceMs: 60_000 })
    await clock.pass(12_000)
    await hypervisor.reset(serverId)
    await clock.pass(12_000)
    expect((await conductor.resultOf(stopping)).outcome).toEqual({ state: 'done', powerState: 4 })
  })

  it('leaves a command open whose time is over, and begins it again when it is asked', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    hypervisor.disconnect()
    const command = await conductor.command({ ...build(), timeoutMs: 5_000 })
    await clock.pass(10_000)
    expect(conductor.all('result')).toEqual([])
    hypervisor.reconnect()
    await conductor.repeat(command)
    await clock.pass(1_000)
    expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
  })

  it('holds no command for a call that the hypervisor never answers: its outcome is unknown, and it looks again', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    for (const verb of ['inspect', 'define', 'start'] as const) {
      hypervisor.faults.plan(verb, 'stall')
      const command = await conductor.command({ ...build(), timeoutMs: 600_000 })
      await clock.pass(110_000)
      expect(hypervisor.faults.stalledCalls).toBe(1)
      expect(
        conductor.all('result').filter(({ fence, serverId }) => fence === command.fence && serverId === command.serverId),
      ).toEqual([])
      await clock.pass(15_000)
      expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
      hypervisor.faults.release()
      await clock.pass(1_000)
      expect(await hypervisor.inspect(command.serverId)).toMatchObject({ powerState: 'running' })
    }
  })

  it('lets a deletion overtake a call that the hypervisor never answers', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    hypervisor.faults.plan('start', 'stall')
    const building = await conductor.command(build())
    await clock.pass(1_000)
    const deleting = await conductor.command({ kind: 'destroy', serverId: building.serverId })
    await clock.pass(125_000)
    expect((await conductor.resultOf(deleting)).outcome).toEqual({ state: 'done', powerState: 0 })
    hypervisor.faults.release()
    await clock.pass(1_000)
    expect(await hypervisor.inspect(building.serverId)).toBeUndefined()
    expect(conductor.all('result').map(({ fence }) => fence)).not.toContain(building.fence)
  })

  it('leaves a command open, and fails nothing, where no call is answered within the time of the command', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    for (let calls = 0; calls < 10; calls++) hypervisor.faults.plan('inspect', 'stall')
    const command = await conductor.command({ ...build(), timeoutMs: 300_000 })
    await clock.pass(500_000)
    expect(conductor.all('result')).toEqual([])
    hypervisor.faults.heal()
    await conductor.repeat(command)
    await clock.pass(1_000)
    expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
  })

  it('goes on with its heartbeats when the hypervisor answers again', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    hypervisor.faults.plan('list', 'stall')
    await clock.pass(200_000)
    conductor.reports.length = 0
    await clock.pass(30_000)
    expect(conductor.all('heartbeat').length).toBeGreaterThan(0)
  })

  it('leaves though its hypervisor does not answer, and its next process goes on with the command', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    hypervisor.faults.plan('start', 'stall')
    const command = await conductor.command(build())
    await clock.pass(1_000)
    let left = false
    const leaving = host.stopAgent().then(() => (left = true))
    await clock.pass(10_000)
    expect(left).toBe(true)
    await leaving
    await host.startAgent()
    await conductor.repeat({ ...command, sessionId: conductor.sessionId! })
    await clock.pass(1_000)
    expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
  })

  it('ends what the hypervisor is at before it leaves, and tells of it', async () => {
    const { conductor, hypervisor } = host
    await host.startAgent()
    hypervisor.faults.plan('start', 'stall')
    const command = await conductor.command(build())
    await clock.pass(1_000)
    const leaving = host.stopAgent()
    await clock.pass(1_000)
    hypervisor.faults.release()
    await clock.pass(100)
    await leaving
    expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
  })

  it('fails a build whose image did not come in time', async () => {
    host.disks = untilAborted()
    await host.startAgent()
    const command = await host.conductor.command({ ...build(), timeoutMs: 5_000 })
    await clock.pass(10_000)
    expect((await host.conductor.resultOf(command)).outcome).toMatchObject({
      state: 'failed',
      failure: { scope: 'host', message: 'The image could not be brought to the host in time.' },
    })
  })
})
