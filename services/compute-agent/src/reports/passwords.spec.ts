import { computeQueue, type GuestPassword } from '@nubo/contract'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { Agent } from '../agent.js'
import type { Files } from '../files.js'
import { noDisks } from '../guests/disk-maker.js'
import { GuestFiles } from '../guests/guest-files.js'
import { memoryFiles } from '../testing/memory-files.js'
import { assembleTestAgent, guestSpecification, newServer, TestHost } from '../testing/test-agent.js'
import { VirtualClock } from '../testing/virtual-clock.js'

// A password that a guest was told is kept reaches the conductors, whatever becomes of the agent and of messages.

const set = { password: 'sealed', clears: 0 }

let clock: VirtualClock
let host: TestHost
let files: Files
let guests: GuestFiles
let agent: Agent
let serverId: ServerId

beforeEach(async () => {
  clock = new VirtualClock()
  host = TestHost.onClock(clock)
  files = memoryFiles()
  serverId = newServer()
  await start()
  await clock.pass(100)
  await host.conductor.command({ kind: 'build', serverId, guest: guestSpecification() })
  await clock.pass(100)
})
afterEach(async () => {
  await agent.stop()
  await host.close()
})

async function start(): Promise<void> {
  const { hostId, hypervisor, network, queue } = host
  agent = await assembleTestAgent({
    ...{ hostId, hypervisor, network, queue, clock, files, directory: '/host', bootId: 'first boot' },
    disks: (opened) => {
      guests = opened
      return noDisks
    },
  })
  agent.start()
}

const recordOf = () => guests.find(serverId)!
const told = () => host.conductor.all('guest-password')
const recorded = async (clears = 0) => {
  const answer = { kind: 'password-recorded', hostId: host.hostId, serverId, incarnation: 1, clears }
  await host.queue.cast(computeQueue(host.hostId), answer)
  await clock.pass(100)
}

it('is told at once, and until it is recorded', async () => {
  expect(await guests.setPassword(recordOf(), set)).toBe(true)
  await clock.pass(100)
  const { hostId, conductor } = host
  const first: GuestPassword = {
    kind: 'guest-password',
    hostId,
    sessionId: conductor.sessionId!,
    serverId,
    incarnation: 1,
    ...set,
  }
  expect(told()).toEqual([first])
  await clock.pass(40_000)
  expect(told().length).toBeGreaterThan(1)
  await recorded()
  const { length } = told()
  await clock.pass(60_000)
  expect(told()).toHaveLength(length)
})

it('is told by the next agent, where the one that took it came to nothing', async () => {
  await agent.stop()
  const unheard = await GuestFiles.open(files, guests.directory, () => {})
  expect(await unheard.setPassword(recordOf(), set)).toBe(true)
  expect(told()).toEqual([])
  await start()
  await clock.pass(1_000)
  expect(told()).toMatchObject([{ serverId, ...set, sessionId: host.conductor.sessionId }])
})

it('is told again in each session', async () => {
  await guests.setPassword(recordOf(), set)
  await recorded()
  const { length } = told()
  await host.conductor.answerRegistration(newServer())
  await clock.pass(25_000)
  expect(told().at(-1)).toMatchObject({ ...set, sessionId: host.conductor.sessionId })
  expect(told().length).toBeGreaterThan(length)
})

it('is told with the next one that the guest sets, when its owner cleared it', async () => {
  await guests.setPassword(recordOf(), set)
  await recorded()
  expect(await guests.setPassword(recordOf(), set)).toBe(false)
  expect(await guests.setPassword(recordOf(), { password: 'another', clears: 1 })).toBe(true)
  await recorded(0)
  await clock.pass(60_000)
  expect(told().at(-1)).toMatchObject({ password: 'another', clears: 1 })
})

it('goes with its guest', async () => {
  await guests.setPassword(recordOf(), set)
  await host.conductor.command({ kind: 'destroy', serverId })
  await clock.pass(100)
  const { length } = told()
  await clock.pass(60_000)
  expect(told()).toHaveLength(length)
  expect(await files.list('/host/guests')).toEqual([])
})

it('that cannot be read keeps no guest from its host', async () => {
  await agent.stop()
  await files.write(`${guests.directoryOf(recordOf())}/password.json`, '{')
  await start()
  await clock.pass(1_000)
  expect(guests.all()).toHaveLength(1)
  expect(guests.passwordOf(recordOf())).toBeUndefined()
  expect(await guests.setPassword(recordOf(), { password: newId(systemRandom), clears: 0 })).toBe(true)
})
