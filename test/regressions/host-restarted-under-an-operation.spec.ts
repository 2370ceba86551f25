import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { newId, systemRandom, type PortId } from '@nubo/kernel'
import { ScriptedCloud, until } from '../operations/scripted-cloud.js'
import { obedient } from '../operations/scripted-host.js'

// A host that was started again starts again what was to run on it. A server to which something else was being done then, as an
// interface was taken off it, was passed over, and was SHUTOFF for good when that had ended.

let cloud: ScriptedCloud

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
})

beforeEach(() => cloud.clear())

afterAll(() => cloud?.[Symbol.asyncDispose]())

it('a server from which an interface is taken while its host is started again is started again', async () => {
  const { servers } = cloud
  const host = await cloud.addHost({ name: 'one' })
  const [id] = await servers.create(1)
  await servers.settled([id!])
  host.answering = (command) => (command.kind === 'detach-interface' ? undefined : obedient(command))
  await servers.begin(id!, 'server.detach-interface', { portId: newId<PortId>(systemRandom) })
  const detach = await until(async () => host.commands.find(({ kind }) => kind === 'detach-interface'))
  host.bootId = 'second boot'
  await host.start([{ serverId: id!, incarnation: 1, powerState: 4 }])
  await host.answer(detach, { state: 'done', powerState: 4 })
  await until(async () => host.commands.some(({ kind }) => kind === 'start'))
  expect(await servers.settled([id!])).toEqual({ active: 1 })
  expect(await servers.find(id!)).toMatchObject({ wanted: 'running', powerState: 1 })
})

// Simulation, seed 50665: one that could not be started with its host was taken for one that somebody had stopped.
it('a server that could not be started with its host is started with it the next time', async () => {
  const { servers } = cloud
  const host = await cloud.addHost({ name: 'one' })
  const [id] = await servers.create(1)
  await servers.settled([id!])
  const bootAgain = async (bootId: string) => {
    host.bootId = bootId
    await host.start([{ serverId: id!, incarnation: 1, powerState: 4 }])
  }
  host.answering = (command) =>
    command.kind === 'start'
      ? { state: 'failed', powerState: 4, failure: { scope: 'host', message: 'Its disk is not there yet.' } }
      : { state: 'done', powerState: 4 }
  await bootAgain('second boot')
  await until(async () => (await servers.find(id!))?.vmState === 'stopped')
  expect(await servers.settled([id!])).toEqual({ stopped: 1 })
  // Seed 103468: something else that is done to it meanwhile changes nothing of that.
  await servers.begin(id!, 'server.detach-interface', { portId: newId<PortId>(systemRandom) })
  expect(await servers.settled([id!])).toEqual({ stopped: 1 })
  host.answering = obedient
  await bootAgain('third boot')
  await until(async () => (await servers.find(id!))?.vmState === 'active')
  expect(await servers.settled([id!])).toEqual({ active: 1 })
})
