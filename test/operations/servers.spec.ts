import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { ServerCommand } from '@nubo/contract'
import { readGuestPassword } from '@nubo/database'
import type { HostId, ServerId } from '@nubo/kernel'
import { obedient, ScriptedHost } from './scripted-host.js'
import { ScriptedCloud, until } from './scripted-cloud.js'
import { projectId, TestServers } from './servers.js'

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
  await cloud[Symbol.asyncDispose]()
})

const addHost = (options: Parameters<ScriptedCloud['addHost']>[0]) => cloud.addHost(options)

async function room(host: ScriptedHost) {
  const [row] = await cloud.database.query<{ used: number; held: number; capacity: number }>(
    `SELECT used_memory_mib AS used, capacity_memory_mib AS capacity,
       (SELECT COALESCE(sum(memory_mib), 0)::int FROM allocations WHERE host_id = hosts.id) AS held FROM hosts WHERE id = $1`,
    [host.id],
  )
  return row!
}

async function quotaUsed(): Promise<number> {
  const [row] = await cloud.database.query<{ used: number }>(
    'SELECT used_instances AS used FROM project_quotas WHERE project_id = $1',
    [projectId],
  )
  return row!.used
}

function commandsTo(host: ScriptedHost, id: ServerId): ServerCommand[] {
  return host.commands.filter((command) => command.serverId === id)
}

describe('a server', () => {
  it('is placed, built and ACTIVE; deleted, it leaves no room and no quota behind', async () => {
    const host = await addHost({ name: 'one', memoryMiB: 1_000, overheadMiB: 10 })
    const [id] = await servers.create(1)
    expect(await servers.settled([id!])).toEqual({ active: 1 })
    expect(await room(host)).toMatchObject({ used: 74, held: 74 })
    expect(await servers.find(id!)).toMatchObject({ hostName: 'one', powerState: 1, wanted: 'running' })
    await servers.delete(id!)
    expect(await servers.settled([id!])).toEqual({ deleted: 1 })
    expect(await room(host)).toMatchObject({ used: 0, held: 0 })
    expect(await quotaUsed()).toBe(0)
    await until(async () => host.acknowledged.length >= 2)
  })

  it('finds its way when every hint was lost', async () => {
    const host = await addHost({ name: 'one', memoryMiB: 1_000 })
    let first = true
    host.answering = (command) => {
      if (!first) return obedient(command)
      first = false
      return undefined
    }
    const ids = await servers.create(1, { hint: false })
    expect(await servers.settled(ids)).toEqual({ active: 1 })
    const fences = commandsTo(host, ids[0]!).map((command) => command.fence)
    expect(fences.length).toBeGreaterThan(1)
    expect(new Set(fences).size).toBe(1)
  })

  it('forgets the password that it was made with once it is made', async () => {
    await addHost({ name: 'one', memoryMiB: 1_000 })
    const ids = await servers.create(1)
    await servers.settled(ids)
    const rows = await cloud.database.query<{ all: string }>('SELECT row_to_json(o)::text AS all FROM operations o')
    expect(rows.map((row) => row.all).join()).not.toContain('secret')
  })
})

describe('room', () => {
  it('is given to exactly as many as it holds, however many race for it', async () => {
    const all = [await addHost({ name: 'one', memoryMiB: 20 * 64 }), await addHost({ name: 'two', memoryMiB: 40 * 64 })]
    const ids = await servers.create(100)
    expect(await servers.settled(ids)).toEqual({ active: 60, error: 40 })
    for (const host of all) {
      const { used, held, capacity } = await room(host)
      expect(used).toBe(capacity)
      expect(held).toBe(used)
    }
    const [refused] = await cloud.database.query<{ message: string }>(
      `SELECT fault->>'message' AS message FROM servers WHERE vm_state = 'error' LIMIT 1`,
    )
    expect(refused!.message).toBe('No valid host was found. Of 2 hosts, 2 lacked memory (needed 64 MiB, most free 0 MiB).')
  })

  it('is not given by a host that is disabled', async () => {
    await addHost({ name: 'one', memoryMiB: 1_000 })
    await cloud.database.execute('UPDATE hosts SET enabled = false')
    expect(await servers.settled(await servers.create(1))).toEqual({ error: 1 })
  })
})

describe('a build that fails', () => {
  it('for a reason of its host is undone there and tried on another', async () => {
    const both = [await addHost({ name: 'one', memoryMiB: 1_000 }), await addHost({ name: 'two', memoryMiB: 1_000 })]
    let failed: ServerCommand | undefined
    const failFirstBuild = (command: ServerCommand) => {
      if (command.kind !== 'build' || failed) return obedient(command)
      failed = command
      return {
        state: 'failed' as const,
        powerState: 0 as const,
        failure: { scope: 'host' as const, message: 'its disk is broken' },
      }
    }
    for (const host of both) host.answering = failFirstBuild
    const ids = await servers.create(1)
    expect(await servers.settled(ids)).toEqual({ active: 1 })
    const [first, second] = both.toSorted((a, b) => commandsTo(b, ids[0]!).length - commandsTo(a, ids[0]!).length) as [
      ScriptedHost,
      ScriptedHost,
    ]
    expect(commandsTo(first, ids[0]!).map((command) => command.kind)).toEqual(['build', 'destroy'])
    expect(commandsTo(second, ids[0]!)).toMatchObject([{ kind: 'build', incarnation: 2 }])
    expect(await room(first)).toMatchObject({ used: 0, held: 0 })
    expect(await room(second)).toMatchObject({ used: 64, held: 64 })
  })

  it('for a reason of the request is an ERROR that says so, and frees its room', async () => {
    const host = await addHost({ name: 'one', memoryMiB: 1_000 })
    host.answering = (command) =>
      command.kind === 'build'
        ? { state: 'failed', powerState: 0, failure: { scope: 'request', message: 'The image does not boot on anything.' } }
        : obedient(command)
    const ids = await servers.create(1)
    expect(await servers.settled(ids)).toEqual({ error: 1 })
    expect(await servers.find(ids[0]!)).toMatchObject({
      fault: { message: 'The image does not boot on anything.' },
      hostId: null,
    })
    expect(await room(host)).toMatchObject({ used: 0, held: 0 })
    await servers.delete(ids[0]!)
    expect(await servers.settled(ids)).toEqual({ deleted: 1 })
    expect(await quotaUsed()).toBe(0)
  })
})

describe('a deletion', () => {
  it('overtakes a build that does not answer, and the late result of the build changes nothing', async () => {
    const host = await addHost({ name: 'one', memoryMiB: 1_000 })
    host.answering = (command) => (command.kind === 'build' ? undefined : obedient(command))
    const [id] = await servers.create(1)
    const build = await until(async () => commandsTo(host, id!)[0])
    await servers.delete(id!)
    expect(await servers.settled([id!])).toEqual({ deleted: 1 })
    const destroy = commandsTo(host, id!).find((command) => command.kind === 'destroy')!
    expect(destroy.fence).toBeGreaterThan(build.fence)
    await host.answer(build, { state: 'done', powerState: 1 })
    await until(async () => host.acknowledged.some(({ fence }) => fence === build.fence))
    expect(await servers.settled([id!])).toEqual({ deleted: 1 })
    expect(await room(host)).toMatchObject({ used: 0, held: 0 })
  })

  it('is repeated with a higher fence until its host confirms it', async () => {
    const host = await addHost({ name: 'one', memoryMiB: 1_000 })
    const [id] = await servers.create(1)
    await servers.settled([id!])
    let refusals = 2
    host.answering = (command) =>
      command.kind === 'destroy' && refusals-- > 0
        ? { state: 'failed', powerState: 1, failure: { scope: 'host', message: 'libvirt is away' } }
        : obedient(command)
    await servers.delete(id!)
    const hurry = () => cloud.database.execute(`UPDATE operation_steps SET next_hint_at = now() WHERE state = 'open'`)
    await until(async () => {
      await hurry()
      return (await servers.find(id!)) === undefined ? true : undefined
    })
    const fences = commandsTo(host, id!)
      .filter((command) => command.kind === 'destroy')
      .map((command) => command.fence)
    expect(new Set(fences).size).toBe(3)
    expect(await room(host)).toMatchObject({ used: 0, held: 0 })
  })
})

it('a server that could not be stopped is wanted to run, and does after its host was started again', async () => {
  const host = await addHost({ name: 'one', memoryMiB: 1_000 })
  const [id] = await servers.create(1)
  await servers.settled([id!])
  host.answering = (command) =>
    command.kind === 'stop'
      ? { state: 'failed', powerState: 1, failure: { scope: 'host', message: 'Its plug is stuck.' } }
      : obedient(command)
  await servers.begin(id!, 'server.stop')
  expect(await servers.settled([id!])).toEqual({ active: 1 })
  expect(await servers.find(id!)).toMatchObject({ wanted: 'running' })
  host.bootId = 'second boot'
  await host.start([{ serverId: id!, incarnation: 1, powerState: 4 }])
  await until(async () => commandsTo(host, id!).some((command) => command.kind === 'start'))
  expect(await servers.settled([id!])).toEqual({ active: 1 })
})

describe('what a guest does on its own', () => {
  async function activeServer(): Promise<{ host: ScriptedHost; id: ServerId }> {
    const host = await addHost({ name: 'one', memoryMiB: 1_000 })
    const [id] = await servers.create(1)
    await servers.settled([id!])
    return { host, id: id! }
  }

  async function actionsOf(id: ServerId) {
    return await cloud.database.query<{ kind: string; message: string | null }>(
      'SELECT kind, message FROM operations WHERE server_id = $1 ORDER BY started_at',
      [id],
    )
  }

  it('powered off from inside: SHUTOFF, with the cause in its actions, and it stays so', async () => {
    const { host, id } = await activeServer()
    await host.report({ kind: 'guest-changed', serverId: id, incarnation: 1, powerState: 4, cause: 'guest-shutdown', detail: '' })
    await until(async () => (await servers.find(id))?.vmState === 'stopped')
    expect(await servers.find(id)).toMatchObject({ wanted: 'stopped', powerState: 4 })
    expect((await actionsOf(id)).at(-1)).toMatchObject({ kind: 'server.observed-stop', message: 'The guest powered itself off.' })
    await host.heartbeat([{ serverId: id, incarnation: 1, powerState: 4 }])
    await host.start([{ serverId: id, incarnation: 1, powerState: 4 }])
    expect(await servers.find(id)).toMatchObject({ vmState: 'stopped' })
  })

  it('a late report of an older incarnation says nothing', async () => {
    const { host, id } = await activeServer()
    await host.report({ kind: 'guest-changed', serverId: id, incarnation: 7, powerState: 4, cause: 'killed', detail: '' })
    await host.report({ kind: 'guest-changed', serverId: id, incarnation: 1, powerState: 4, cause: 'killed', detail: '' })
    await until(async () => (await servers.find(id))?.vmState === 'stopped')
    expect((await actionsOf(id)).filter(({ kind }) => kind === 'server.observed-stop')).toHaveLength(1)
  })

  it('a late report of a session that is over says nothing', async () => {
    const { host, id } = await activeServer()
    const before = host.sessionId
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    const late = { kind: 'guest-changed', serverId: id, incarnation: 1, powerState: 4, detail: '' }
    await host.report({ ...late, sessionId: before, cause: 'crashed' })
    await host.report({ ...late, cause: 'guest-shutdown' })
    await until(async () => (await servers.find(id))?.vmState === 'stopped')
    expect((await actionsOf(id)).slice(1)).toMatchObject([{ message: 'The guest powered itself off.' }])
  })

  it('a password that it sets is on record before its host hears so, and not of a session that is over', async () => {
    const { host, id } = await activeServer()
    const told = { kind: 'guest-password', serverId: id, incarnation: 1, clears: 0 }
    const before = host.sessionId
    await host.start([{ serverId: id, incarnation: 1, powerState: 1 }])
    await host.report({ ...told, password: 'late', sessionId: before })
    await host.report({ ...told, password: 'sealed' })
    await until(async () => host.passwordsRecorded.length > 0)
    expect(await readGuestPassword(cloud.database, id)).toBe('sealed')
    expect(host.passwordsRecorded).toMatchObject([{ serverId: id, incarnation: 1, clears: 0 }])
  })

  it('after its host was started again it is started again', async () => {
    const { host, id } = await activeServer()
    host.bootId = 'second boot'
    await host.start([{ serverId: id, incarnation: 1, powerState: 4 }])
    await until(async () => commandsTo(host, id).some((command) => command.kind === 'start'))
    expect(await servers.settled([id])).toEqual({ active: 1 })
    expect((await actionsOf(id)).map(({ kind }) => kind)).toEqual(['server.create', 'server.start'])
  })

  it('found stopped on a host that was not started again, it is SHUTOFF', async () => {
    const { host, id } = await activeServer()
    await host.start([{ serverId: id, incarnation: 1, powerState: 4 }])
    await until(async () => (await servers.find(id))?.vmState === 'stopped')
    expect(commandsTo(host, id).map((command) => command.kind)).toEqual(['build'])
  })
})

it('hosts keep their identity, not their name', async () => {
  await addHost({ name: 'one', memoryMiB: 1_000 })
  const impostor = await addHost({ name: 'one', memoryMiB: 1_000 })
  const honest = await addHost({ name: 'two', memoryMiB: 1_000 })
  const rows = await cloud.database.query<{ id: HostId }>('SELECT id FROM hosts ORDER BY number')
  expect(rows.map((row) => row.id)).toContain(honest.id)
  expect(rows.map((row) => row.id)).not.toContain(impostor.id)
})

it('a host that reports under a session that is over is told so, and an overtaken heartbeat is not', async () => {
  const host = await addHost({ name: 'one', memoryMiB: 1_000 })
  const over = host.sessionId!
  await host.start()
  const current = host.sessionId
  expect(current).not.toBe(over)
  await host.heartbeat()
  host.sessionId = over
  await host.heartbeat()
  await until(async () => host.refusedSessions.length > 0)
  expect(host.refusedSessions).toEqual([over])
})
