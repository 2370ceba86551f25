import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import type { PowerStateCode, Result, ServerCommand } from '@nubo/contract'
import { newId, systemRandom, type PortId, type ServerId } from '@nubo/kernel'
import { ScriptedCloud, until } from '../operations/scripted-cloud.js'
import { obedient, type ScriptedHost } from '../operations/scripted-host.js'
import type { TestServers } from '../operations/servers.js'

// A guest that powered off right after it was started: what its host saw then came before the result of the start, which was seen
// before. The result put the record back to ACTIVE and running, until the next heartbeat that told of all guests.

const [on, off] = [1, 4] as const
let cloud: ScriptedCloud
let servers: TestServers
let host: ScriptedHost
let id: ServerId

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
  servers = cloud.servers
})

afterEach(() => cloud.clear())

afterAll(() => cloud?.[Symbol.asyncDispose]())

async function aServer(...before: string[]): Promise<void> {
  host = await cloud.addHost({ name: 'one' })
  ;[id] = (await servers.create(1)) as [ServerId]
  await servers.settled([id])
  for (const kind of before) {
    await servers.begin(id, kind)
    await servers.settled([id])
  }
}

/** Begins an operation whose command the host does not answer by itself, however often it comes. */
async function begun(kind: string, input: Record<string, unknown> = {}): Promise<ServerCommand> {
  let withheld: ServerCommand | undefined
  host.answering = (command) => {
    withheld ??= command
    return command.stepId === withheld.stepId ? undefined : obedient(command)
  }
  await servers.begin(id, kind, input)
  return await until(async () => withheld)
}

/** What the host sees of the guest by itself, and that this is on record. */
async function seen(powerState: PowerStateCode, sequence: number): Promise<void> {
  const { sessionId } = host
  await host.report({
    ...{ kind: 'guest-changed', serverId: id, incarnation: 1, powerState, sequence, cause: 'found-at-resync', detail: '' },
  })
  const record = `SELECT FROM servers WHERE id = $1 AND power_state = $2 AND seen_session = $3 AND seen_sequence = $4`
  await until(async () => (await cloud.database.execute(record, [id, powerState, sessionId, sequence])) > 0)
}

async function result(command: ServerCommand, outcome: Result['outcome'], sent: { sequence: number; sessionId?: string }) {
  const { stepId, operationId, serverId, incarnation, fence } = command
  await host.report({ kind: 'result', stepId, operationId, serverId, incarnation, fence, outcome, ...sent })
}

const server = async () => {
  const { vmState, wanted, powerState } = (await servers.find(id))!
  return { vmState, wanted, powerState }
}
const shutOff = { vmState: 'stopped', wanted: 'stopped', powerState: off }

/** What was done to the server, and what it did, in no order. */
async function actions(): Promise<string[]> {
  const rows = await cloud.database.query<{ kind: string }>('SELECT kind FROM operations WHERE server_id = $1', [id])
  return rows.map(({ kind }) => kind).toSorted()
}

it('a guest that powered off after it was rebooted is SHUTOFF, whatever is told first', async () => {
  await aServer()
  const reboot = await begun('server.reboot-hard')
  const [earlier, later] = [host.nextSequence(), host.nextSequence()]
  await seen(off, later)
  await result(reboot, { state: 'done', powerState: on }, { sequence: earlier })
  await servers.settled([id])
  expect(await server()).toEqual(shutOff)
  expect(await actions()).toEqual(['server.create', 'server.observed-stop', 'server.reboot-hard'])
})

it('a guest that was off before its start and after it too', async () => {
  await aServer('server.stop')
  const start = await begun('server.start')
  const [earlier, later] = [host.nextSequence(), host.nextSequence()]
  await seen(off, later)
  await result(start, { state: 'done', powerState: on }, { sequence: earlier })
  await servers.settled([id])
  expect(await server()).toEqual(shutOff)
})

it('a guest that powered off after its reboot failed', async () => {
  await aServer()
  const reboot = await begun('server.reboot-hard')
  const [earlier, later] = [host.nextSequence(), host.nextSequence()]
  await seen(off, later)
  const failure = { scope: 'request' as const, message: 'It cannot be defined.' }
  await result(reboot, { state: 'failed', powerState: on, failure }, { sequence: earlier })
  await servers.settled([id])
  // Nobody knows whether it would be off without the reboot: it is tried again with its host.
  expect(await server()).toEqual({ ...shutOff, wanted: 'running' })
})

it('a guest that was seen in a later session than the result is of', async () => {
  await aServer()
  const reboot = await begun('server.reboot-hard')
  const { sessionId } = host
  await host.start()
  await seen(off, host.nextSequence())
  await result(reboot, { state: 'done', powerState: on }, { sequence: 1_000, sessionId: sessionId! })
  await servers.settled([id])
  expect(await server()).toEqual(shutOff)
})

it('what was seen before the result does not stand', async () => {
  await aServer()
  const reboot = await begun('server.reboot-hard')
  await seen(off, host.nextSequence())
  await result(reboot, { state: 'done', powerState: on }, { sequence: host.nextSequence() })
  await servers.settled([id])
  expect(await server()).toEqual({ vmState: 'active', wanted: 'running', powerState: on })
})

it('a guest that somebody started on its host after it was stopped is stopped again, at once', async () => {
  await aServer()
  const stop = await begun('server.stop')
  const [earlier, later] = [host.nextSequence(), host.nextSequence()]
  await seen(on, later)
  await result(stop, { state: 'done', powerState: off }, { sequence: earlier })
  await until(async () => host.commands.filter(({ kind }) => kind === 'stop').length > 1)
  await servers.settled([id])
  expect(await server()).toEqual(shutOff)
  expect(await actions()).toEqual(['server.create', 'server.observed-start', 'server.stop', 'server.stop'])
})

it('a guest that powered off while an interface was taken from it is SHUTOFF, and its actions say so', async () => {
  await aServer()
  const detach = await begun('server.detach-interface', { portId: newId<PortId>(systemRandom) })
  await seen(off, host.nextSequence())
  await result(detach, { state: 'done', powerState: off }, { sequence: host.nextSequence() })
  await servers.settled([id])
  expect(await server()).toEqual(shutOff)
  expect(await actions()).toEqual(['server.create', 'server.detach-interface', 'server.observed-stop'])
})
