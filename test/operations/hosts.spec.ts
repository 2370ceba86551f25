import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { listServices, releaseHost, updateComputeService } from '@nubo/database'
import { newId, systemRandom, type Id, type ServerId } from '@nubo/kernel'
import { obedient, ScriptedHost } from './scripted-host.js'
import { ScriptedCloud, until } from './scripted-cloud.js'
import { TestServers } from './servers.js'

let cloud: ScriptedCloud
let servers: TestServers

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
  servers = cloud.servers
})

afterEach(async () => {
  await cloud.clear()
})

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
})

const addHost = (options: Parameters<ScriptedCloud['addHost']>[0]) => cloud.addHost(options)

const stateOf = async (host: ScriptedHost) =>
  (await listServices(cloud.database, 30_000)).find((service) => service.id === host.id)!
const fence = (host: ScriptedHost) => updateComputeService(cloud.database, host.id, { forcedDown: true })
const release = (host: ScriptedHost) => updateComputeService(cloud.database, host.id, { forcedDown: false })
const commandsTo = (host: ScriptedHost, id: ServerId) => host.commands.filter((command) => command.serverId === id)

async function usedOn(host: ScriptedHost): Promise<number> {
  const [row] = await cloud.database.query<{ used: number }>('SELECT used_memory_mib AS used FROM hosts WHERE id = $1', [host.id])
  return row!.used
}

/** A server that runs on the only host there is. */
async function activeServer(): Promise<ServerId> {
  const [id] = await servers.create(1)
  expect(await servers.settled([id!])).toEqual({ active: 1 })
  return id!
}

/** As if so much time had passed in which the host could be heard, and was not. */
async function silent(host: ScriptedHost, seconds: number): Promise<void> {
  await cloud.database.execute('UPDATE hosts SET heard_ms = heard_ms - $2 * 1000 WHERE id = $1', [host.id, seconds])
}

describe('a host that is silent', () => {
  it('is down and gets no new servers, those it has are left alone, and its next word brings it back', async () => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    await silent(host, 31)
    expect(await stateOf(host)).toMatchObject({ alive: false, forcedDown: false })
    expect(await servers.settled(await servers.create(1))).toEqual({ error: 1 })
    expect(await servers.find(id)).toMatchObject({ vmState: 'active', hostName: 'one' })
    await host.heartbeat()
    await until(async () => (await stateOf(host)).alive)
    expect(await servers.settled(await servers.create(1))).toEqual({ active: 1 })
  })
})

describe('while hosts cannot be heard', () => {
  it('placements wait, be there no host or one that looks silent, and end when they can', async () => {
    const host = await addHost({ name: 'one' })
    await silent(host, 3_600)
    const ids = await deafWhile(async () => {
      const created = await servers.create(5)
      await until(async () => (await cloud.queue.depth('placement')) === 0)
      await host.heartbeat()
      return created
    })
    expect(await servers.settled(ids)).toEqual({ active: 5 })
  })
})

/** Nothing that hosts say is recorded meanwhile: the mark that would say that it is waits, and the last one is old. */
async function deafWhile<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    await cloud.database.execute(`UPDATE hearing SET marked_at = marked_at - interval '1 hour'`)
    const worked = await cloud.database.transaction(async (tx) => {
      const [last] = await tx.query<{ old: boolean }>(
        `SELECT marked_at < clock_timestamp() - interval '1 minute' AS old FROM hearing FOR UPDATE`,
      )
      return last!.old ? { result: await work() } : undefined
    })
    if (worked) return worked.result
  }
}

describe('a host that is fenced', () => {
  it('has a higher epoch and no session, is down, and gets nothing', async () => {
    const host = await addHost({ name: 'one' })
    await fence(host)
    await fence(host)
    const [row] = await cloud.database.query('SELECT fencing_epoch, session_id FROM hosts')
    expect(row).toEqual({ fencing_epoch: 2, session_id: null })
    expect(await stateOf(host)).toMatchObject({ alive: false, forcedDown: true })
    expect(await servers.settled(await servers.create(1))).toEqual({ error: 1 })
    await host.heartbeat()
    await until(async () => host.refusedSessions.length > 0)
  })

  it('gives its builds to another host, and its servers are ERROR with the reason', async () => {
    const host = await addHost({ name: 'one' })
    const running = await activeServer()
    host.answering = () => undefined
    const [building] = await servers.create(1)
    await until(async () => commandsTo(host, building!).length > 0)
    const other = await addHost({ name: 'two' })
    await fence(host)
    expect(await servers.settled([building!])).toEqual({ active: 1 })
    expect(await servers.find(building!)).toMatchObject({ hostName: 'two' })
    expect(commandsTo(other, building!)).toMatchObject([{ kind: 'build', incarnation: 2 }])
    await until(async () => (await servers.find(running))?.vmState === 'error')
    expect((await servers.find(running))!.fault!.message).toMatch(/declared dead by an operator/)
    expect(await servers.find(running)).toMatchObject({ hostName: 'one', wanted: 'running' })
  })

  it('settles deletions that wait for it, and those that come, and its room is freed', async () => {
    const host = await addHost({ name: 'one' })
    const [before, after] = [await activeServer(), await activeServer()]
    host.answering = () => undefined
    await servers.delete(before)
    await until(async () => commandsTo(host, before).some((command) => command.kind === 'destroy'))
    await fence(host)
    expect(await servers.settled([before])).toEqual({ deleted: 1 })
    await servers.delete(after)
    expect(await servers.settled([after])).toEqual({ deleted: 1 })
    expect(await usedOn(host)).toBe(0)
  })

  it('ends what it was to do with a server, with the reason', async () => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    await host.report({ kind: 'guest-changed', serverId: id, incarnation: 1, powerState: 4, cause: 'guest-shutdown', detail: '' })
    await until(async () => (await servers.find(id))?.vmState === 'stopped')
    host.answering = () => undefined
    await servers.begin(id, 'server.start')
    await fence(host)
    expect(await servers.settled([id])).toEqual({ stopped: 1 })
    const [operation] = await cloud.database.query<{ state: string; message: string }>(
      `SELECT state, message FROM operations WHERE kind = 'server.start'`,
    )
    expect(operation).toEqual({ state: 'failed', message: 'Its host was declared dead by an operator.' })
  })
})

describe('a host that comes back after it was fenced', () => {
  it('is not let in before it is released, and is told at once what was given up meanwhile', async () => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    await fence(host)
    await servers.delete(id)
    await servers.settled([id])
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    expect(host).toMatchObject({ sessionId: undefined, fencingEpoch: 2, refusal: expect.stringContaining('declared dead') })
    expect(host.toRemove).toEqual([{ serverId: id, incarnation: 1, fencingEpoch: 1 }])
    await release(host)
    await host.start()
    expect(host.sessionId).toBeDefined()
    expect(host.toRemove).toHaveLength(1)
    await host.report({ kind: 'guests-removed', guests: [{ serverId: id, incarnation: 1 }] })
    await until(async () => {
      await host.start()
      return host.toRemove.length === 0
    })
  })

  it('gets its commands under the new epoch', async () => {
    const host = await addHost({ name: 'one' })
    await fence(host)
    await release(host)
    await host.start()
    const id = await activeServer()
    expect(commandsTo(host, id)[0]).toMatchObject({ fencingEpoch: 2, sessionId: host.sessionId })
  })

  it.each([
    ['running: it is ACTIVE as if nothing had been', 1 as const, []],
    ['off: it is started again', 4 as const, ['start']],
  ])('has its servers again, %s', async (_, powerState, commands) => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    await fence(host)
    await until(async () => (await servers.find(id))?.vmState === 'error')
    host.commands.length = 0
    await release(host)
    await host.start([{ serverId: id, incarnation: 1, powerState }])
    await until(async () => (await servers.find(id))?.vmState === 'active')
    expect(await servers.settled([id])).toEqual({ active: 1 })
    expect(commandsTo(host, id).map((command) => command.kind)).toEqual(commands)
    expect((await servers.find(id))!.fault).toBeNull()
    await servers.delete(id)
    expect(await servers.settled([id])).toEqual({ deleted: 1 })
    // It was there to confirm it: there is nothing to remove later.
    await host.start()
    expect(host.toRemove).toEqual([])
    expect(await usedOn(host)).toBe(0)
  })

  it('without a guest that it had: that server stays ERROR, and can be deleted', async () => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    await fence(host)
    await until(async () => (await servers.find(id))?.vmState === 'error')
    await release(host)
    await host.start()
    expect((await servers.find(id))!.vmState).toBe('error')
    await servers.delete(id)
    expect(await servers.settled([id])).toEqual({ deleted: 1 })
  })

  it('knows of a higher epoch than its record: the host is right, its database was restored from a copy', async () => {
    const host = await addHost({ name: 'one' })
    host.fencingEpoch = 7
    await host.start()
    const id = await activeServer()
    expect(commandsTo(host, id)[0]).toMatchObject({ fencingEpoch: 7 })
  })

  it('with a build that it did meanwhile: its late result changes nothing, and it is told to remove it', async () => {
    const host = await addHost({ name: 'one' })
    host.answering = () => undefined
    const [id] = await servers.create(1)
    const build = await until(async () => commandsTo(host, id!)[0])
    const other = await addHost({ name: 'two' })
    await fence(host)
    expect(await servers.settled([id!])).toEqual({ active: 1 })
    await host.answer(build, { state: 'done', powerState: 1 })
    await host.start([{ serverId: id!, incarnation: 1, powerState: 1 }])
    expect(host.toRemove).toEqual([{ serverId: id, incarnation: 1, fencingEpoch: 1 }])
    expect(await servers.find(id!)).toMatchObject({ hostName: 'two', vmState: 'active' })
    expect(commandsTo(other, id!)).toMatchObject([{ kind: 'build', incarnation: 2 }])
    host.answering = obedient
  })
})

describe('a host that asks to be looked at', () => {
  it('is up and keeps its servers, gets no new ones, and is told when an operator has looked', async () => {
    const host = await addHost({ name: 'one' })
    const id = await activeServer()
    host.quarantine = 'its journal was lost'
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    expect(await stateOf(host)).toMatchObject({ alive: true })
    expect(await servers.settled(await servers.create(1))).toEqual({ error: 1 })
    expect(await servers.find(id)).toMatchObject({ vmState: 'active' })
    expect(host.released).toBe(false)
    await releaseHost(cloud.database, host.id)
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    expect(host.released).toBe(true)
    expect(await servers.settled(await servers.create(1))).toEqual({ active: 1 })
    host.quarantine = null
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    host.quarantine = 'its journal was lost'
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    expect(host.released).toBe(false)
  })
})

describe('a host whose identity two agents use', () => {
  it('lets neither in until an operator has seen to it, and touches nothing', async () => {
    const first = await addHost({ name: 'one' })
    const id = await activeServer()
    const guests = [{ serverId: id, incarnation: 1, powerState: 1 as const }]
    const agents = [first.agentId, newId<Id<'agent'>>(systemRandom)]
    for (const [turn, agentId] of [agents[1], agents[0], agents[1]].entries()) {
      first.agentId = agentId!
      await first.start(guests)
      expect(first.refusal === undefined).toBe(turn < 2)
    }
    expect(first.refusal).toMatch(/Two agents register as this host in turns/)
    expect(await stateOf(first)).toMatchObject({ alive: false })
    expect(await servers.find(id)).toMatchObject({ vmState: 'active' })
    first.agentId = newId<Id<'agent'>>(systemRandom)
    await first.start(guests)
    expect(first.refusal).toBeDefined()
    await releaseHost(cloud.database, first.id)
    await first.start(guests)
    expect(first.refusal).toBeUndefined()
    expect(await servers.settled(await servers.create(1))).toEqual({ active: 1 })
  })

  it('is not taken for one whose agent is started again and again, or whose registrations overtook each other', async () => {
    const host = await addHost({ name: 'one' })
    const [older, newer] = [newId<Id<'agent'>>(systemRandom), newId<Id<'agent'>>(systemRandom)]
    for (const agentId of [newer, older, newer, newer, newId<Id<'agent'>>(systemRandom), newId<Id<'agent'>>(systemRandom)]) {
      host.agentId = agentId
      await host.start()
      expect(host.refusal).toBeUndefined()
    }
  })
})
