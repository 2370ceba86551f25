import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Examiner, repair, type RepairOutcome } from '@nubo/control-plane'
import { placementQueue, reportsQueue } from '@nubo/contract'
import { countNetworkUse, PgOperationStore, type Finding, type FindingCode } from '@nubo/database'
import { NetworkRows } from '@nubo/database/testing'
import { waitFor } from '@nubo/deploy'
import { CloudError, newId, systemClock, systemRandom, type Id, type RequestId, type ServerId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { Caster, OperationEngine, operations } from '@nubo/workflow'
import { obedient, ScriptedHost } from './scripted-host.js'
import { ScriptedCloud } from './scripted-cloud.js'
import { projectId, TestServers } from './servers.js'

// Every finding that may be mended: broken on purpose, found, mended, and nothing is left of it. The conductor and the
// scheduler run all the while, and hosts do what they are told.

let cloud: ScriptedCloud
let servers: TestServers
let networks: NetworkRows
let one: ScriptedHost
let two: ScriptedHost
let store: PgOperationStore
let engine: OperationEngine
let caster: Caster

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
  servers = cloud.servers
  networks = new NetworkRows(cloud.database, projectId)
  store = new PgOperationStore(cloud.database)
  engine = new OperationEngine(operations, systemRandom)
  const compose = { imageUrl: '', signImageCredential: async () => '' }
  const onError = (error: unknown) => {
    throw error
  }
  const { queue } = cloud
  caster = new Caster({ store, queue, engine, compose, onError, onImpossible: async (_open, error) => onError(error) })
})

beforeEach(async () => {
  one = await cloud.addHost({ name: 'one' })
  two = await cloud.addHost({ name: 'two' })
})

afterEach(async () => {
  await networks.clear()
  await cloud.clear()
})

afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
})

const queues = [placementQueue, reportsQueue]

/** Both looks at once: nothing is under way but what a test leaves so. */
const examinerOf = (queue: Queue) => {
  const { database } = cloud
  return new Examiner({ database, queue, queues, clock: { ...systemClock, sleep: async () => undefined } })
}
const examine = async () => (await examinerOf(cloud.queue).examine()).findings

/** The same queue, on which no answer is waited for as long as an examiner would. */
const impatient = (queue: Queue) =>
  Object.assign(Object.create(queue) as Queue, {
    ask: (...[name, question]: Parameters<Queue['ask']>) => queue.ask(name, question, 500),
  })

const newRequestId = () => `req-${newId<Id<'request'>>(systemRandom)}` as RequestId
const mend = (finding: Finding): Promise<RepairOutcome> => repair(finding, { store, engine, caster, newRequestId })

async function foundAndMended(code: FindingCode): Promise<void> {
  const findings = await examine()
  expect(findings.map((finding) => finding.code)).toEqual([code])
  expect(await mend(findings[0]!)).toMatchObject({ mended: true })
}

const until = <T>(condition: () => Promise<T>) =>
  waitFor('the condition of the test', condition, { timeoutMs: 60_000, everyMs: 10 })

const allIsWell = () => until(async () => (await examine()).length === 0)

/** An ACTIVE server, the host that it is on, and the other one. */
async function activeServer(): Promise<{ id: ServerId; here: ScriptedHost; there: ScriptedHost }> {
  const [id] = await servers.create(1)
  expect(await servers.settled([id!])).toEqual({ active: 1 })
  const { hostId } = (await servers.find(id!))!
  return { id: id!, ...(hostId === one.id ? { here: one, there: two } : { here: two, there: one }) }
}

/** A server that is being built by a host which does not answer. */
async function buildingServer(): Promise<{ id: ServerId; here: ScriptedHost }> {
  for (const host of [one, two]) host.answering = (command) => (command.kind === 'build' ? undefined : obedient(command))
  const [id] = await servers.create(1)
  const here = await until(async () => [one, two].find((host) => host.commands.length > 0))
  return { id: id!, here }
}

const change = (text: string, ...values: unknown[]) => cloud.database.execute(text, values)
const destroyed = (host: ScriptedHost) =>
  host.commands.filter(({ kind }) => kind === 'destroy').map(({ serverId, incarnation }) => ({ serverId, incarnation }))

/** Room that is held on a host for a server which is not there any more, as its counters say. */
async function holdRoom(host: ScriptedHost, serverId: ServerId, incarnation: number): Promise<void> {
  await change(
    `WITH held AS (INSERT INTO allocations (server_id, incarnation, host_id, vcpus, memory_mib, disk_gib, fencing_epoch)
       SELECT id, $3, $1, vcpus, memory_mib, disk_gib, 1 FROM servers WHERE id = $2 RETURNING vcpus, memory_mib, disk_gib)
     UPDATE hosts SET used_vcpus = used_vcpus + held.vcpus, used_memory_mib = used_memory_mib + held.memory_mib,
       used_disk_gib = used_disk_gib + held.disk_gib, server_count = server_count + 1 FROM held WHERE id = $1`,
    ...[host.id, serverId, incarnation],
  )
}

async function noteThatItWasSent(host: ScriptedHost, serverId: ServerId): Promise<void> {
  await change(
    `INSERT INTO placement_decisions (server_id, operation_id, host_id, decision) VALUES ($1, gen_random_uuid(), $2, '{}')`,
    ...[serverId, host.id],
  )
}

describe('counters', () => {
  it('of a host are recounted, whatever was placed there meanwhile', async () => {
    await change('UPDATE hosts SET used_memory_mib = 300 WHERE id = $1', one.id)
    const [finding] = await examine()
    expect(await servers.settled(await servers.create(4))).toEqual({ active: 4 })
    expect(await mend(finding!)).toMatchObject({ mended: true })
    expect(await examine()).toEqual([])
    expect(await mend(finding!)).toEqual({ mended: false, message: 'It has changed since it was looked at.' })
  })

  it('of a project are recounted, and are made where there are none', async () => {
    await servers.settled(await servers.create(2))
    await change('UPDATE project_quotas SET used_instances = 9 WHERE project_id = $1', projectId)
    await foundAndMended('quota.use-differs')
    await change('DELETE FROM project_quotas')
    await foundAndMended('quota.use-differs')
    expect(await examine()).toEqual([])
  })
})

describe('an operation', () => {
  it('that lost its step is ended: its server is ERROR and can be deleted', async () => {
    const { id, here } = await buildingServer()
    await change(`UPDATE operation_steps SET state = 'done' WHERE state = 'open'`)
    await foundAndMended('operation.without-step')
    expect(await servers.find(id)).toMatchObject({ vmState: 'error' })
    await servers.delete(id)
    expect(await servers.settled([id])).toEqual({ deleted: 1 })
    expect(destroyed(here)).toEqual([{ serverId: id, incarnation: 1 }])
    await allIsWell()
  })

  it('that was to delete and lost its step deletes all the same', async () => {
    const { id, here } = await activeServer()
    here.answering = () => undefined
    await servers.delete(id)
    await change(`UPDATE operation_steps SET state = 'done' WHERE state = 'open'`)
    here.answering = obedient
    await foundAndMended('operation.without-step')
    expect(await servers.settled([id])).toEqual({ deleted: 1 })
    await allIsWell()
  })

  it('that has no deadline is given one, and ends', async () => {
    const { id } = await buildingServer()
    await change('UPDATE operations SET deadline_at = NULL')
    await foundAndMended('operation.without-deadline')
    expect(await servers.settled([id])).toEqual({ error: 1 })
    expect(await examine()).toEqual([])
  })
})

describe('a step', () => {
  it('that nobody would be told of is told of again', async () => {
    const { id, here } = await buildingServer()
    await change(`UPDATE operation_steps SET next_hint_at = NULL WHERE state = 'open'`)
    here.answering = obedient
    await foundAndMended('step.never-hinted')
    expect(await servers.settled([id])).toEqual({ active: 1 })
  })

  it('that outlived its operation is closed', async () => {
    await activeServer()
    await change(`INSERT INTO operation_steps (id, operation_id, name, queue, next_hint_at)
                  SELECT gen_random_uuid(), id, 'place', 'nowhere', now() + interval '1 h' FROM operations`)
    await foundAndMended('step.of-ended-operation')
    expect(await examine()).toEqual([])
  })
})

describe('a server', () => {
  it('on its way to nowhere is what it was', async () => {
    const { id } = await activeServer()
    await change(`UPDATE servers SET task_state = 'rebooting'`)
    await foundAndMended('server.in-transition')
    expect(await servers.find(id)).toMatchObject({ vmState: 'active', taskState: null })
  })

  it('that nobody builds any more is ERROR and says so', async () => {
    const { id } = await activeServer()
    await change(`UPDATE servers SET vm_state = 'building'`)
    await foundAndMended('server.in-transition')
    expect(await servers.find(id)).toMatchObject({ vmState: 'error', fault: { code: 500 } })
  })

  it('in ERROR whose deletion was asked for is deleted', async () => {
    const { id, here } = await activeServer()
    await change(`UPDATE servers SET wanted = 'deleted', vm_state = 'error'`)
    await foundAndMended('server.not-deleted')
    expect(await servers.settled([id])).toEqual({ deleted: 1 })
    expect(here.lying.size).toBe(0)
    await allIsWell()
  })

  it('whose guest was seen to run though it is to be off is stopped', async () => {
    const { id, here } = await activeServer()
    await change(`UPDATE servers SET vm_state = 'stopped', wanted = 'stopped', updated_at = now() - interval '90 s'`)
    await foundAndMended('server.drifted')
    await until(async () => here.commands.some(({ kind }) => kind === 'stop'))
    expect(await servers.settled([id])).toEqual({ stopped: 1 })
    expect(await servers.find(id)).toMatchObject({ powerState: 4 })
  })

  it('that something was begun on since it was looked at is left alone', async () => {
    const { id } = await activeServer()
    await change(`UPDATE servers SET task_state = 'rebooting'`)
    const [finding] = await examine()
    await change('UPDATE servers SET fence = fence + 1')
    expect(await mend(finding!)).toMatchObject({ mended: false })
    expect(await servers.find(id)).toMatchObject({ taskState: 'rebooting' })
  })
})

describe('room', () => {
  it('of a deleted server that nothing would free is freed when its host has confirmed', async () => {
    const { id, here } = await activeServer()
    await servers.delete(id)
    await servers.settled([id])
    await holdRoom(here, id, 1)
    await foundAndMended('allocation.of-deleted')
    await allIsWell()
    expect(destroyed(here)).toHaveLength(2)
  })

  it('that is held where the server is not is freed there, and the server goes on where it is', async () => {
    const { id, here, there } = await activeServer()
    await noteThatItWasSent(there, id)
    await holdRoom(there, id, 0)
    await foundAndMended('allocation.orphaned')
    await allIsWell()
    expect(destroyed(there)).toEqual([{ serverId: id, incarnation: 1 }])
    expect(destroyed(here)).toEqual([])
    expect(await servers.find(id)).toMatchObject({ vmState: 'active', taskState: null, hostName: here === one ? 'one' : 'two' })
  })

  it('of a server that its record puts nowhere is where the server is again: its guest is all that there is of it', async () => {
    const { id, here } = await activeServer()
    await change('UPDATE servers SET host_id = NULL, power_state = 0')
    await foundAndMended('server.host-missing')
    await here.heartbeat([{ serverId: id, incarnation: 1, powerState: 1 }])
    await allIsWell()
    await until(async () => (await servers.find(id))!.powerState === 1)
    expect(await servers.find(id)).toMatchObject({ vmState: 'active', hostName: here === one ? 'one' : 'two' })
    expect(destroyed(here)).toEqual([])
  })

  it('of the very incarnation of a server that is elsewhere by its record is not cleared away: a person sees where it is', async () => {
    const { id, here, there } = await activeServer()
    await noteThatItWasSent(there, id)
    await change('UPDATE servers SET host_id = $1', there.id)
    const findings = await examine()
    const orphan = findings.find(({ code }) => code === 'allocation.orphaned')
    expect(await mend(orphan!)).toMatchObject({ mended: false, message: expect.stringContaining('may be all there is') })
    expect([...destroyed(here), ...destroyed(there)]).toEqual([])
  })

  it('stays held where the host cannot remove what lies there', async () => {
    const { id, there } = await activeServer()
    await noteThatItWasSent(there, id)
    await holdRoom(there, id, 0)
    there.answering = () => ({ state: 'failed', powerState: 4, failure: { scope: 'host', message: 'its disk is busy' } })
    await foundAndMended('allocation.orphaned')
    expect(await servers.settled([id])).toEqual({ active: 1 })
    expect((await examine()).map(({ code }) => code)).toEqual(['allocation.orphaned'])
    expect(await servers.find(id)).toMatchObject({ vmState: 'active', powerState: 1 })
  })
})

it('addresses that a host was never told to let go of are free when it is told its networks anew', async () => {
  const network = await networks.network(7)
  await cloud.database.transaction((tx) => countNetworkUse(tx, projectId, { network: 1, subnet: 1 }))
  await networks.port(network, { address: '10.0.0.9', mac: 'fa:16:3e:00:00:09', hostId: one.id, deviceOwner: 'network:test' })
  await until(async () => one.plans.at(-1)?.networks.length === 1)
  await change(`UPDATE ports SET gone_at = now() - interval '90 s', plan_revision = NULL`)
  await change(`UPDATE hosts SET updated_at = now() - interval '90 s'`)
  await foundAndMended('port.held')
  await until(async () => (await cloud.database.query('SELECT FROM ports')).length === 0)
  expect(await examine()).toEqual([])
})

it('a router that waits for a host which was never told that it left is let go of when that is told', async () => {
  const routerId = await networks.router()
  await cloud.database.transaction((tx) => countNetworkUse(tx, projectId, { router: 1 }))
  await until(async () => (await cloud.database.query('SELECT FROM network_changes')).length === 0)
  await change('UPDATE routers SET left_host_id = $1 WHERE id = $2', one.id, routerId)
  await foundAndMended('router.waiting')
  await until(async () => (await cloud.database.query('SELECT FROM routers WHERE left_host_id IS NULL')).length === 1)
  expect(await examine()).toEqual([])
})

it('a queue that is away is told of as such, and no host is blamed for it', async () => {
  const away = new CloudError('Unavailable', 'The queue cannot be reached at the moment.')
  const queue = new Proxy(cloud.queue, { get: () => () => Promise.reject(away) })
  const { findings, hosts } = await examinerOf(queue).examine()
  expect(findings.map(({ code }) => code)).toEqual(['queue.unreachable'])
  expect(hosts.map(({ trouble }) => trouble)).toEqual([away.message, away.message])
})

describe('what lies on a host', () => {
  it('of a server that is deleted is removed there', async () => {
    const { id, here } = await activeServer()
    await servers.delete(id)
    await servers.settled([id])
    here.layDown(id, 1)
    await foundAndMended('guest.not-recorded')
    await allIsWell()
    expect(here.lying.size).toBe(0)
  })

  it('of an incarnation that the record has left behind is removed there, and the server goes on elsewhere', async () => {
    const { id, here, there } = await activeServer()
    await noteThatItWasSent(there, id)
    there.lying.set(id, { serverId: id, domain: null, folders: [{ incarnation: 1, bytes: 1 }], journal: null })
    await foundAndMended('disk.not-recorded')
    await until(async () => destroyed(there).length === 1)
    there.lying.clear()
    await allIsWell()
    expect(destroyed(here)).toEqual([])
    expect(here.lying.has(id)).toBe(true)
  })

  it('and that nobody knows is told of and never touched', async () => {
    const { id, there } = await activeServer()
    const stranger = newId<ServerId>(systemRandom)
    there.layDown(stranger, 1)
    // Known, but not sent there by us: a host's word alone destroys nothing.
    there.layDown(id, 1)
    const findings = await examine()
    const codes = findings.map(({ code }) => code).sort()
    expect(codes).toEqual(['guest.unknown', 'guest.unknown', 'server.on-two-hosts'])
    for (const finding of findings)
      expect(await mend({ ...finding, repair: { possible: true, how: '' } })).toMatchObject({ mended: false })
    expect(there.commands).toEqual([])
  })

  it('that does not say it though it is up is not taken for empty', async () => {
    const { here } = await activeServer()
    await here.stop()
    const { findings } = await examinerOf(impatient(cloud.queue)).examine()
    const codes = findings.map(({ code }) => code)
    expect(codes).toEqual(['host.unanswered'])
  })

  it('where its record puts it is not cleared away, whatever was found', async () => {
    const { id, here } = await activeServer()
    const [elsewhere] = await (async () => {
      here.layDown(id, 7)
      return await examine()
    })()
    expect(elsewhere).toMatchObject({ code: 'guest.unknown' })
    const forged: Finding = { ...elsewhere!, code: 'guest.not-recorded', repair: { possible: true, how: '' } }
    expect(await mend(forged)).toMatchObject({ mended: false })
    expect(destroyed(here)).toEqual([])
  })
})
