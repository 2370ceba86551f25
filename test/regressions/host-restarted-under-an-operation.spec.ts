import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { newId, systemRandom, type PortId } from '@nubo/kernel'
import { ScriptedCloud, until } from '../operations/scripted-cloud.js'
import { obedient } from '../operations/scripted-host.js'

// A host that was started again starts again what was to run on it. A server to which something else was being done then, as an
// interface was taken off it, was passed over, and was SHUTOFF for good when that had ended.

let cloud: ScriptedCloud

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
})

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
