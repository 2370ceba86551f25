import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { computeQueue, type ServerCommand } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailure } from './commands/failure.js'
import { noDisks } from './guests/disk-maker.js'
import type { Conductor } from './testing/conductor.js'
import { eventually } from './testing/eventually.js'
import { guestSpecification, newServer, TestHost, untilAborted } from './testing/test-agent.js'

describe('an agent', () => {
  let host: TestHost
  const serverId = newServer()
  let hypervisor: Hypervisor
  let conductor: Conductor

  beforeEach(async () => {
    host = await TestHost.make()
    hypervisor = host.hypervisor
    conductor = host.conductor
  })
  afterEach(() => host.close())

  const build = (overrides: Record<string, unknown> = {}) => ({
    kind: 'build' as const,
    serverId,
    guest: guestSpecification(),
    ...overrides,
  })
  const powerState = async () => (await hypervisor.inspect(serverId))?.powerState
  const filesIn = async (name: string) => (await readdir(join(host.directory, name))).filter((each) => !each.endsWith('.new'))

  describe('carries out', () => {
    beforeEach(async () => void (await host.startAgent()))

    it('build, stop, start, reboot and destroy', async () => {
      expect(await conductor.done(build())).toEqual({ state: 'done', powerState: 1 })
      expect(await powerState()).toBe('running')
      expect(await conductor.done({ kind: 'stop', serverId, graceMs: 60_000 })).toEqual({ state: 'done', powerState: 4 })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'guest-shutdown' })
      expect(await conductor.done({ kind: 'start', serverId })).toEqual({ state: 'done', powerState: 1 })
      expect(await conductor.done({ kind: 'reboot', serverId, type: 'soft', graceMs: 60_000 })).toEqual({
        state: 'done',
        powerState: 1,
      })
      expect(await conductor.done({ kind: 'reboot', serverId, type: 'hard', graceMs: 0 })).toEqual({
        state: 'done',
        powerState: 1,
      })
      expect(await powerState()).toBe('running')
      expect(await conductor.done({ kind: 'destroy', serverId })).toEqual({ state: 'done', powerState: 0 })
      expect(await hypervisor.list()).toEqual([])
      expect(await filesIn('guests')).toEqual([])
    })

    it('stop on a guest that does not heed its button, by pulling the plug, and says so', async () => {
      await conductor.done(build())
      host.hypervisor.ignoreButton(serverId)
      expect(await conductor.done({ kind: 'stop', serverId, graceMs: 50 })).toEqual({
        state: 'done',
        powerState: 4,
        detail: expect.stringContaining('its plug was pulled'),
      })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ stopCause: 'destroyed' })
    })

    it('a soft reboot of a guest that does not heed its button, the hard way, and says so', async () => {
      await conductor.done(build())
      host.hypervisor.ignoreButton(serverId)
      expect(await conductor.done({ kind: 'reboot', serverId, type: 'soft', graceMs: 50 })).toMatchObject({
        state: 'done',
        powerState: 1,
        detail: expect.stringContaining('switched off and on'),
      })
    })

    it('a reboot of a guest that is off, by starting it', async () => {
      await conductor.done(build())
      await conductor.done({ kind: 'stop', serverId, graceMs: 0 })
      expect(await conductor.done({ kind: 'reboot', serverId, type: 'soft', graceMs: 50 })).toMatchObject({
        state: 'done',
        powerState: 1,
      })
      expect(await powerState()).toBe('running')
    })

    it('destroy where nothing is, and leaves a tombstone that lower incarnations do not pass', async () => {
      expect(await conductor.done({ kind: 'destroy', serverId, incarnation: 2 })).toEqual({ state: 'done', powerState: 0 })
      expect(await conductor.done(build({ incarnation: 2 }))).toMatchObject({ state: 'failed', failure: { scope: 'superseded' } })
      expect(await hypervisor.list()).toEqual([])
      expect(await conductor.done(build({ incarnation: 3 }))).toMatchObject({ state: 'done' })
    })

    it('no destruction of a later incarnation than it was told to destroy', async () => {
      await conductor.done(build({ incarnation: 5 }))
      expect(await conductor.done({ kind: 'destroy', serverId, incarnation: 4 })).toMatchObject({ state: 'done' })
      expect(await powerState()).toBe('running')
      expect(await filesIn('guests')).toHaveLength(1)
    })

    it('start of a guest whose domain somebody removed, by defining it again', async () => {
      await conductor.done(build())
      host.hypervisor.destroy(serverId)
      await hypervisor.undefine(serverId)
      expect(await conductor.done({ kind: 'start', serverId })).toMatchObject({ state: 'done' })
      expect(await hypervisor.inspect(serverId)).toMatchObject({ powerState: 'running', incarnation: 1 })
    })

    it.each(['start', 'stop', 'reboot'] as const)('no %s for a server that is not here', async (kind) => {
      const outcome = await conductor.done({ kind, serverId, graceMs: 0, type: 'hard' })
      expect(outcome).toMatchObject({ state: 'failed', failure: { scope: 'host', message: expect.stringContaining('no guest') } })
    })

    it('no build of an image that is larger than the disk', async () => {
      const guest = guestSpecification()
      guest.image.virtualBytes = 2 * 1024 ** 3
      expect(await conductor.done(build({ guest }))).toMatchObject({
        state: 'failed',
        failure: { scope: 'request', message: 'The image needs a disk of 2 GiB.' },
      })
    })

    it('a build that the hypervisor refuses, as a failure of this host', async () => {
      host.hypervisor.faults.plan('start', 'refuse')
      expect(await conductor.done(build())).toMatchObject({ state: 'failed', failure: { scope: 'host' } })
    })

    it.each(['lose-answer', 'lose-call'] as const)('what a hypervisor leaves open, until it is known: %s', async (fault) => {
      for (const verb of ['define', 'start', 'inspect', 'powerOff', 'undefine'] as const) host.hypervisor.faults.plan(verb, fault)
      expect(await conductor.done(build())).toMatchObject({ state: 'done' })
      expect(await powerState()).toBe('running')
      expect(await conductor.done({ kind: 'destroy', serverId })).toMatchObject({ state: 'done' })
      expect(await hypervisor.list()).toEqual([])
    })
  })

  describe('obeys fences', () => {
    beforeEach(async () => void (await host.startAgent()))

    it('a lower one is refused', async () => {
      await conductor.done(build({ fence: 5 }))
      await conductor.command({ kind: 'destroy', serverId, fence: 4 })
      await conductor.done({ kind: 'stop', serverId, graceMs: 1000, fence: 6 })
      expect(await powerState()).toBe('shutdown')
      expect(conductor.all('result').map((result) => result.fence)).toEqual([5, 6])
    })

    it('an equal one is answered from the journal, and done no second time', async () => {
      const command = await conductor.command(build())
      const first = await conductor.resultOf(command)
      host.hypervisor.powerOffFromInside(serverId)
      conductor.reports.length = 0
      await conductor.repeat(command)
      expect(await conductor.resultOf(command)).toEqual(first)
      expect(await powerState()).toBe('shutdown')
    })

    it('an equal one that is under way goes on once', async () => {
      host.hypervisor.faults.plan('start', 'stall')
      const command = await conductor.command(build())
      await eventually(() => host.hypervisor.faults.stalledCalls === 1)
      await conductor.repeat(command)
      await conductor.repeat(command)
      host.hypervisor.faults.release()
      await conductor.resultOf(command)
      await conductor.done({ kind: 'stop', serverId, graceMs: 1000 })
      expect(conductor.all('result').filter((result) => result.fence === command.fence)).toHaveLength(1)
    })

    it('a higher one ends what is under way and takes its place', async () => {
      let ended: unknown
      host.disks = untilAborted((reason) => (ended = reason))
      await host.stopAgent()
      await host.startAgent()
      const building = await conductor.command(build())
      await eventually(async () => (await filesIn('guests')).length === 1)
      expect(await conductor.done({ kind: 'destroy', serverId })).toEqual({ state: 'done', powerState: 0 })
      expect(ended).toBeInstanceOf(CommandFailure)
      expect(await filesIn('guests')).toEqual([])
      expect(conductor.all('result').map((result) => result.fence)).not.toContain(building.fence)
    })

    it('one of another epoch is refused', async () => {
      await conductor.command(build({ fencingEpoch: 2 }))
      await conductor.done(build({ serverId: newServer() }))
      expect(await hypervisor.inspect(serverId)).toBeUndefined()
    })

    it('one of another session is refused', async () => {
      await conductor.command(build({ sessionId: newServer() }))
      await conductor.done(build({ serverId: newServer() }))
      expect(await hypervisor.inspect(serverId)).toBeUndefined()
    })

    it('messages that break the contract are refused', async () => {
      await host.queue.cast(computeQueue(host.hostId), { kind: 'build', serverId: '../../etc' })
      await conductor.done(build())
      expect(await filesIn('journal')).toEqual([`${serverId}.json`, 'host'])
    })
  })

  describe('keeps results', () => {
    it('until they are acknowledged, and over its own end', async () => {
      await host.startAgent()
      conductor.acknowledges = false
      const command = await conductor.command(build())
      const first = await conductor.resultOf(command)
      const firstSession = conductor.sessionId
      await host.stopAgent()
      conductor.reports.length = 0
      conductor.acknowledges = true
      await host.startAgent()
      const again = await conductor.resultOf(command)
      expect(again).toMatchObject({ outcome: first.outcome, stepId: first.stepId })
      expect(again.sessionId).not.toBe(firstSession)
      await eventually(async () =>
        (await readFile(join(host.directory, `journal/${serverId}.json`), 'utf8')).includes('"acknowledged":true'),
      )
      conductor.reports.length = 0
      await host.stopAgent()
      await host.startAgent()
      await conductor.done(build({ serverId: newServer() }))
      expect(conductor.all('result').map((result) => result.serverId)).not.toContain(serverId)
    })

    it('of what it was doing when it ended, once it is asked again', async () => {
      host.disks = untilAborted()
      await host.startAgent()
      const command = await conductor.command(build())
      await eventually(async () => (await filesIn('guests')).length === 1)
      await host.stopAgent()
      host.disks = noDisks
      await host.startAgent()
      expect(conductor.all('result')).toEqual([])
      await conductor.repeat({ ...command, sessionId: conductor.sessionId } as ServerCommand)
      expect((await conductor.resultOf(command)).outcome).toEqual({ state: 'done', powerState: 1 })
    })

    it('without the secrets of their commands', async () => {
      await host.startAgent()
      const guest = guestSpecification()
      guest.image.credential = 'a-secret-credential'
      guest.configDrive = { metaData: { admin_pass: 'a-secret-password' }, networkData: {}, userData: 'YS1zZWNyZXQ=', files: [] }
      await conductor.done(build({ guest }))
      const kept = await Promise.all([
        readFile(join(host.directory, `journal/${serverId}.json`), 'utf8'),
        readFile(join(host.directory, `guests/${serverId}-1/guest.json`), 'utf8'),
      ])
      expect(kept.join()).not.toMatch(/a-secret|YS1zZWNyZXQ=/)
    })
  })

  describe('tells what guests do on their own', () => {
    beforeEach(async () => {
      await host.startAgent()
      await conductor.done(build())
    })
    const change = () => eventually(() => conductor.all('guest-changed')[0])

    it.each([
      ['powerOffFromInside', 'guest-shutdown'],
      ['destroy', 'destroyed-on-host'],
      ['kill', 'killed'],
      ['crash', 'crashed'],
    ] as const)('%s', async (happens, cause) => {
      host.hypervisor[happens](serverId)
      expect(await change()).toMatchObject({ serverId, incarnation: 1, powerState: 4, cause })
    })

    it('started from elsewhere', async () => {
      await conductor.done({ kind: 'stop', serverId, graceMs: 1000 })
      await hypervisor.start(serverId)
      expect(await change()).toMatchObject({ powerState: 1, cause: 'started-on-host' })
    })

    it('while it was cut off from the hypervisor', async () => {
      host.hypervisor.disconnect()
      host.hypervisor.kill(serverId)
      host.hypervisor.reconnect()
      expect(await change()).toMatchObject({ powerState: 4, cause: 'killed' })
    })

    it('nothing of what it did itself', async () => {
      await conductor.done({ kind: 'reboot', serverId, type: 'hard', graceMs: 0 })
      await conductor.done({ kind: 'stop', serverId, graceMs: 1000 })
      await conductor.done({ kind: 'destroy', serverId })
      const other = newServer()
      await conductor.done(build({ serverId: other }))
      host.hypervisor.kill(other)
      expect(await change()).toMatchObject({ serverId: other })
      expect(conductor.all('guest-changed')).toHaveLength(1)
    })

    it('in the order in which it saw it', async () => {
      host.hypervisor.kill(serverId)
      const { sequence } = await change()
      const result = await conductor.resultOf(await conductor.command({ kind: 'start', serverId }))
      expect(result.sequence).toBeGreaterThan(sequence)
    })
  })

  describe('when it starts', () => {
    it('does nothing before its registration was answered', async () => {
      conductor.answers = false
      await host.startAgent({ registered: false })
      await eventually(() => conductor.all('register').length === 1)
      await conductor.command(build())
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await hypervisor.list()).toEqual([])
    })

    it('takes up commands that came before the answer of their session did', async () => {
      conductor.answers = false
      await host.startAgent({ registered: false })
      const registration = await eventually(() => conductor.all('register')[0])
      conductor.sessionId = newServer() as never
      const command = await conductor.command(build())
      const { hostId } = host
      const { sessionId, fencingEpoch } = conductor
      const answer = {
        kind: 'registered',
        hostId,
        registrationId: registration.registrationId,
        sessionId,
        fencingEpoch,
        remove: [],
        release: false,
      }
      await host.queue.cast(computeQueue(hostId), answer)
      expect((await conductor.resultOf(command)).outcome).toMatchObject({ state: 'done' })
    })

    it('registers with every guest that is here, running or not', async () => {
      await host.startAgent()
      await conductor.done(build())
      const gone = newServer()
      await conductor.done(build({ serverId: gone }))
      await host.stopAgent()
      host.hypervisor.destroy(gone)
      await hypervisor.undefine(gone)
      conductor.reports.length = 0
      await host.startAgent()
      const [registration] = conductor.all('register')
      expect(registration!.guests).toHaveLength(2)
      expect(registration!.guests).toContainEqual({ serverId, incarnation: 1, powerState: 1, sequence: 1 })
      expect(registration!.guests).toContainEqual({ serverId: gone, incarnation: 1, powerState: 4, sequence: 1 })
      expect(registration!.bootId).toBe('first boot')
    })

    it('tells how a command ended before with how its guest is now', async () => {
      conductor.acknowledges = false
      await host.startAgent()
      expect(await conductor.done(build())).toEqual({ state: 'done', powerState: 1 })
      await host.stopAgent()
      host.hypervisor.powerOffFromInside(serverId)
      conductor.reports.length = 0
      await host.startAgent()
      const { outcome, sessionId, sequence } = await eventually(() => conductor.all('result')[0])
      expect(outcome).toEqual({ state: 'done', powerState: 4 })
      expect(sessionId).toBe(conductor.sessionId)
      expect(sequence).toBeGreaterThan(1)
    })

    it('starts no guest by itself after its host went down', async () => {
      await host.startAgent()
      await conductor.done(build())
      await host.stopAgent()
      host.hypervisor.powerCut()
      host.bootId = 'second boot'
      await host.startAgent()
      expect(conductor.all('register').at(-1)).toMatchObject({ bootId: 'second boot', guests: [{ serverId, powerState: 4 }] })
      expect(await powerState()).toBe('shutdown')
      expect(await conductor.done({ kind: 'start', serverId })).toMatchObject({ state: 'done' })
      expect(await powerState()).toBe('running')
    })

    it('removes a guest that turned up at or below its tombstone', async () => {
      await host.startAgent()
      await conductor.done(build())
      const definition = {
        serverId,
        projectId: 'p' as never,
        fencingEpoch: 1,
        name: 'x',
        vcpus: 1,
        memoryMiB: 64,
        disks: [],
        nics: [],
      }
      await conductor.done({ kind: 'destroy', serverId })
      await host.stopAgent()
      await hypervisor.define({ ...definition, incarnation: 1 })
      await hypervisor.start(serverId)
      await host.startAgent()
      expect(await hypervisor.list()).toEqual([])
      await host.stopAgent()
      await hypervisor.define({ ...definition, incarnation: 2 })
      await host.startAgent()
      expect(await hypervisor.list()).toHaveLength(1)
    })
  })

  it('answers what a guest wrote to its console', async () => {
    await host.startAgent()
    await conductor.done(build())
    host.hypervisor.writeToConsole(serverId, 'one\ntwo\nthree')
    const ask = (lines?: number) => host.queue.ask(computeQueue(host.hostId), { kind: 'console-output', serverId, lines }, 1000)
    expect(await ask(2)).toEqual({ ok: true, value: { output: 'two\nthree' } })
    expect(await ask()).toEqual({ ok: true, value: { output: 'web-1 login: one\ntwo\nthree' } })
    const nobody = { kind: 'console-output', serverId: newServer() }
    expect(await host.queue.ask(computeQueue(host.hostId), nobody, 1000)).toMatchObject({ ok: false, kind: 'NotFound' })
  })
})
