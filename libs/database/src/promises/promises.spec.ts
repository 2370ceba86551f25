import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { SurveyedServer } from '@nubo/contract'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type HostId, type ServerId } from '@nubo/kernel'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../connection.js'
import { HealthyCloud, projectId } from '../testing/healthy-cloud.js'
import { NetworkRows } from '../testing/network-rows.js'
import { TestDatabase } from '../testing/test-database.js'
import {
  defaultCheckOptions,
  examine,
  findingKinds,
  everyQueueIsRead,
  hostDidNotAnswer,
  queueIsAway,
  readAbandoned,
  readTombstones,
  type FindingCode,
  type HostSurvey,
} from './index.js'

let records: TestDatabase
let database: Database
let cloud: HealthyCloud
let networks: NetworkRows
let one: HostId
let two: HostId
let serverId: ServerId

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  cloud = new HealthyCloud(database)
  networks = new NetworkRows(database)
})

afterAll(() => records?.stop())

beforeEach(async () => {
  await networks.clear()
  await cloud.clear()
  one = await cloud.addHost('one')
  two = await cloud.addHost('two')
  serverId = await cloud.addServer(one)
  await cloud.addServer(two)
})

const surveyAll = () => Promise.all([one, two].map((hostId) => cloud.survey(hostId)))
const shown = new Set<FindingCode>()

async function find(surveys?: readonly HostSurvey[]) {
  const findings = await examine(database, surveys ?? (await surveyAll()))
  for (const { code } of findings) shown.add(code)
  return findings
}

/** The survey of host one with something done to what it says of the server. */
async function surveyWith(change: (server: SurveyedServer) => Partial<SurveyedServer>): Promise<HostSurvey[]> {
  const [first, second] = await surveyAll()
  const servers = first!.servers.map((server) => ({ ...server, ...(server.serverId === serverId ? change(server) : {}) }))
  return [{ ...first!, servers }, second!]
}

/** Something of a server that is on a host, as that host says. */
async function surveyWithMore(hostId: HostId, more: Partial<SurveyedServer> & { serverId: ServerId }): Promise<HostSurvey[]> {
  const surveyed = { domain: null, folders: [], journal: null, ...more }
  return (await surveyAll()).map((survey) =>
    survey.hostId === hostId ? { ...survey, servers: [...survey.servers, surveyed] } : survey,
  )
}

describe('of a cloud in order nothing is found', () => {
  it('at rest', async () => {
    expect(await find()).toEqual([])
  })

  it('while things are done to servers', async () => {
    await cloud.addOperation(serverId)
    expect(await find()).toEqual([])
  })

  it('where a host away holds what a deletion left: that is a note', async () => {
    await cloud.leaveTombstone(serverId)
    expect(await find()).toEqual([])
    expect(await readTombstones(database, defaultCheckOptions)).toMatchObject([
      { serverId, incarnation: 1, hostName: 'one', memoryMiB: 576, lastFailure: null },
    ])
  })

  it('where some hosts do not answer', async () => {
    expect(await find([await cloud.survey(two)])).toEqual([])
  })
})

describe('promise 1', () => {
  it('counters of a host that are not the sum of its allocations', async () => {
    await cloud.change('hosts', one, 'used_memory_mib = used_memory_mib + 100')
    expect(await find()).toMatchObject([
      {
        promise: 1,
        code: 'room.counters-differ',
        about: { hostId: one, hostName: 'one' },
        message:
          'Host one counts 1 vCPU, 676 MiB of memory, 10 GiB of disk for 1 server as used; its allocations are 1 vCPU, 576 MiB of memory, 10 GiB of disk for 1 server.',
        repair: { possible: true },
      },
    ])
  })

  it('a host that has given more than it has', async () => {
    await cloud.change('hosts', one, 'capacity_memory_mib = 500')
    expect(await find()).toMatchObject([{ code: 'room.above-capacity', about: { hostId: one }, repair: { possible: false } }])
  })

  it('an allocation that is less than what the server has', async () => {
    await cloud.change('servers', serverId, 'disk_gib = 20')
    expect(await find()).toMatchObject([{ code: 'room.allocation-differs', about: { serverId, hostId: one } }])
  })
})

describe('promise 2', () => {
  it('a server on a host that holds no room for it', async () => {
    await cloud.change('servers', serverId, `host_id = '${two}', incarnation = 2`)
    const found = await find([])
    expect(found).toMatchObject([
      { code: 'allocation.orphaned', about: { serverId, hostId: one, incarnation: 1 } },
      { code: 'server.room-missing', about: { serverId, hostId: two, incarnation: 2 } },
    ])
  })

  it('a server that was made and is on no host, of which what lies somewhere may be all there is', async () => {
    await cloud.change('servers', serverId, 'host_id = NULL')
    expect(await find()).toMatchObject([{ promise: 2, code: 'server.host-missing', about: { serverId } }])
    await database.execute('DELETE FROM allocations WHERE server_id = $1', [serverId])
    const codes = (
      await find(await surveyWithMore(one, { serverId, domain: { incarnation: 1, fencingEpoch: 1, powerState: 1 } }))
    ).map(({ code }) => code)
    expect(codes).toContain('server.host-missing')
    expect(codes).not.toContain('guest.not-recorded')
  })

  it('a server that runs on two hosts', async () => {
    const found = await find(await surveyWithMore(two, { serverId, domain: { incarnation: 1, fencingEpoch: 1, powerState: 1 } }))
    expect(found.map(({ code }) => code)).toEqual(['server.on-two-hosts', 'guest.unknown'])
    expect(found[0]!.message).toContain('one (incarnation 1), two (incarnation 1)')
  })
})

it('a host that is up and does not answer is a finding of its own', () => {
  const silent = hostDidNotAnswer({ hostId: one, name: 'one', trouble: 'No answer came within 5 s.' })
  shown.add(silent.code)
  expect(silent).toMatchObject({
    message: 'Host one is up, and does not say what lies on it: No answer came within 5 s.',
    repair: { possible: false },
  })
})

describe('promise 3', () => {
  it('an operation that nobody is told of', async () => {
    const { operationId, stepId } = await cloud.addOperation(serverId)
    await cloud.change('operation_steps', stepId, `state = 'done'`)
    expect(await find()).toMatchObject([{ code: 'operation.without-step', about: { operationId, serverId } }])
  })

  it('an operation that may last for ever', async () => {
    const { operationId } = await cloud.addOperation(serverId)
    await cloud.change('operations', operationId, 'deadline_at = NULL')
    expect(await find()).toMatchObject([{ code: 'operation.without-deadline', about: { operationId } }])
  })

  it('an operation past its deadline, after a grace', async () => {
    const { operationId } = await cloud.addOperation(serverId)
    await cloud.change('operations', operationId, `deadline_at = now() - interval '30 s'`)
    expect(await find()).toEqual([])
    await cloud.change('operations', operationId, `deadline_at = now() - interval '90 s'`)
    expect(await find()).toMatchObject([{ code: 'operation.overdue', about: { operationId }, repair: { possible: false } }])
  })

  it('deadlines that nobody watches, of what is under way for longer than a grace', async () => {
    await database.execute(`UPDATE deadline_watch SET watched_at = now() - interval '90 s'`)
    expect(await find()).toEqual([])
    const { operationId } = await cloud.addOperation(serverId)
    expect(await find()).toEqual([])
    await cloud.change('operations', operationId, `started_at = now() - interval '70 s'`)
    expect(await find()).toMatchObject([{ code: 'deadlines.unwatched', message: 'Nobody watches the deadlines of 1 operation.' }])
  })

  it('a step that nobody will be told of again', async () => {
    const { operationId, stepId } = await cloud.addOperation(serverId)
    await cloud.change('operation_steps', stepId, 'next_hint_at = NULL')
    expect(await find()).toMatchObject([{ code: 'step.never-hinted', about: { operationId, stepId, hostName: 'one' } }])
  })

  it('a step that nobody was told of when it was due, after a grace', async () => {
    const { stepId } = await cloud.addOperation(serverId)
    await cloud.change('operation_steps', stepId, `next_hint_at = now() - interval '30 s'`)
    expect(await find()).toEqual([])
    await cloud.change('operation_steps', stepId, `next_hint_at = now() - interval '90 s'`)
    expect(await find()).toMatchObject([{ code: 'step.hint-overdue', about: { stepId } }])
  })

  it('messages that nobody takes, after a grace, and a queue that is away', () => {
    const seen = (oldestMs: number) => everyQueueIsRead([{ name: 'placement', waiting: 3, oldestMs }], defaultCheckOptions)
    expect(seen(30_000)).toEqual([])
    const findings = [...seen(90_000), queueIsAway('Redis is gone.')]
    for (const { code } of findings) shown.add(code)
    expect(findings).toMatchObject([
      { code: 'queue.unread', message: '3 messages wait on the queue placement, the oldest for 90 s.' },
      { code: 'queue.unreachable', message: 'The queue cannot be looked at: Redis is gone.' },
    ])
  })

  it('a step that outlives its operation', async () => {
    const { operationId, stepId } = await cloud.addOperation(serverId)
    await cloud.change('operations', operationId, `state = 'done', finished_at = now()`)
    await cloud.change('servers', serverId, 'task_state = NULL')
    expect(await find()).toMatchObject([{ code: 'step.of-ended-operation', about: { operationId, stepId, serverId } }])
  })

  it('a step that waits for a host which was declared dead, after a grace', async () => {
    const { operationId, stepId } = await cloud.addOperation(serverId)
    await cloud.change('hosts', one, 'forced_down = true, fencing_epoch = 2, updated_at = now()')
    expect(await find([])).toEqual([])
    await cloud.change('hosts', one, `updated_at = now() - interval '90 s'`)
    expect(await find([])).toMatchObject([{ code: 'step.of-fenced-host', about: { operationId, stepId, hostId: one } }])
  })

  it('a server on its way to which nothing is being done', async () => {
    await cloud.change('servers', serverId, `task_state = 'rebooting'`)
    expect(await find()).toMatchObject([{ code: 'server.in-transition', about: { serverId, hostName: 'one' } }])
  })

  it('a server whose deletion was asked for and forgotten', async () => {
    await cloud.change('servers', serverId, `wanted = 'deleted', vm_state = 'error'`)
    expect(await find()).toMatchObject([{ code: 'server.not-deleted', about: { serverId } }])
  })

  it('a guest that was seen off and is ACTIVE all the same, after a grace', async () => {
    await cloud.change('servers', serverId, `power_state = 4, updated_at = now()`)
    expect(await find()).toEqual([])
    await cloud.change('servers', serverId, `updated_at = now() - interval '90 s'`)
    expect(await find()).toMatchObject([{ code: 'server.drifted', about: { serverId } }])
  })
})

describe('promise 4', () => {
  const keep = (body: unknown) =>
    database.execute(
      `INSERT INTO idempotency_keys (scope, user_id, route, key_digest, request_digest, status, body)
       VALUES ('project:${projectId}', 'u', 'POST /v2.1/servers', 'k', 'r', 202, $1)`,
      [body],
    )

  it('a kept answer that names a server which was never made', async () => {
    const never = newId<ServerId>(systemRandom)
    await keep({ server: { id: never } })
    expect(await find()).toMatchObject([{ promise: 4, code: 'key.names-nothing', about: { serverId: never } }])
  })

  it('one that names a server, gone or not, or a reservation of several, is as it should be', async () => {
    await keep({ server: { id: serverId } })
    await cloud.forget(serverId)
    expect(await find()).toEqual([])
    await database.execute('DELETE FROM idempotency_keys')
    await keep({ reservation_id: 'r-1' })
    expect(await find()).toEqual([])
  })
})

describe('promise 5', () => {
  it('a host that lost its memory', async () => {
    await cloud.change('hosts', one, `quarantine = 'Its journal is gone.'`)
    expect(await find()).toMatchObject([
      {
        promise: 5,
        code: 'host.quarantined',
        about: { hostId: one },
        message: 'Host one is in quarantine: Its journal is gone.',
      },
    ])
  })

  it('a guest of which there is no record', async () => {
    const stranger = newId<ServerId>(systemRandom)
    const found = await find(
      await surveyWithMore(one, { serverId: stranger, domain: { incarnation: 1, fencingEpoch: 1, powerState: 1 } }),
    )
    expect(found).toMatchObject([
      { code: 'guest.unknown', about: { serverId: stranger, hostId: one, incarnation: 1 }, repair: { possible: false } },
    ])
  })

  it('a guest whose server the record puts elsewhere, and that we once sent there ourselves', async () => {
    const lost = await surveyAll()
    await cloud.moveTo(serverId, two)
    const found = await find([lost[0]!, await cloud.survey(two)])
    expect(found.map(({ code }) => code)).toEqual(['server.on-two-hosts', 'guest.not-recorded'])
    expect(found[1]).toMatchObject({ about: { serverId, hostId: one, incarnation: 1 }, found: { current: 2, deleted: false } })
    expect(found[1]!.message).toContain('which by its record is on host two in incarnation 2')
  })

  it('a guest of an incarnation that the record does not know yet is nobody’s', async () => {
    const found = await find(
      await surveyWith(() => ({ domain: { incarnation: 7, fencingEpoch: 1, powerState: 1 }, folders: [] })),
    )
    expect(found.map(({ code }) => code)).toEqual(['guest.unknown', 'guest.missing'])
  })

  it('a recorded guest that is gone from its host with its disks', async () => {
    expect(await find(await surveyWith(() => ({ domain: null })))).toEqual([])
    const found = await find(await surveyWith(() => ({ domain: null, folders: [] })))
    expect(found).toMatchObject([{ code: 'guest.missing', about: { serverId, hostId: one, incarnation: 1 } }])
  })

  it('a guest whose disk is gone, or the image that it stands on', async () => {
    const lacks = ['disk', 'image'] as const
    const said = await find(await surveyWith(() => ({ folders: [{ incarnation: 1, bytes: 0, lacks: [...lacks] }] })))
    expect(said).toMatchObject([{ promise: 5, code: 'guest.lacks-disk', about: { serverId, hostId: one } }])
    expect(said[0]!.message).toContain('lacks its disk and the image that its disk stands on')
    const alone = await surveyWith(() => ({ folders: [] }))
    expect(await find(alone)).toMatchObject([{ code: 'guest.lacks-disk', about: { serverId } }])
    await cloud.addOperation(serverId)
    expect(await find(alone)).toEqual([])
  })

  it('a host that was told what the records do not know', async () => {
    const journal = { fence: 9, incarnation: 1, ended: true, acknowledged: true, tombstone: 0 }
    expect(await find(await surveyWith(() => ({ journal })))).toMatchObject([
      { code: 'journal.fence-ahead', about: { serverId, hostId: one } },
    ])
  })

  it('a host that holds a guest for destroyed that is to be there', async () => {
    await cloud.change('servers', serverId, 'fence = 3')
    const journal = { fence: 3, incarnation: 1, ended: true, acknowledged: true, tombstone: 1 }
    expect(await find(await surveyWith(() => ({ journal })))).toMatchObject([
      { code: 'journal.tombstone-on-record', about: { serverId, incarnation: 1, hostId: one } },
    ])
  })

  it('says nothing of a server to which something is being done', async () => {
    const lost = await surveyAll()
    await cloud.moveTo(serverId, two)
    await cloud.addOperation(serverId, { kind: 'server.start', taskState: 'powering-on' })
    const found = await find([lost[0]!, { hostId: two, servers: [], strays: [] }])
    expect(found.filter(({ about }) => about.serverId === serverId)).toEqual([])
  })
})

describe('promise 6', () => {
  it('room of a deleted server that nothing will free', async () => {
    const { operationId, stepId } = await cloud.leaveTombstone(serverId)
    await cloud.change('operation_steps', stepId, `state = 'done'`)
    await cloud.change('operations', operationId, `state = 'done'`)
    expect(await find([])).toMatchObject([{ promise: 6, code: 'allocation.of-deleted', about: { serverId, hostId: one } }])
  })

  it('a host that answers and cannot remove what it is to remove', async () => {
    const { operationId, stepId } = await cloud.leaveTombstone(serverId)
    await cloud.change(
      'operation_steps',
      stepId,
      `state = 'failed', result = '{"message": "its disk is busy."}', finished_at = now()`,
    )
    await database.execute(
      `INSERT INTO operation_steps (id, operation_id, name, queue, host_id, next_hint_at) VALUES (gen_random_uuid(), $1, 'destroy', 'q', $2, now())`,
      [operationId, one],
    )
    expect(await find()).toMatchObject([{ code: 'tombstone.refused', about: { serverId, hostId: one } }])
    await cloud.change('hosts', one, 'heard_ms = heard_ms - 3600000')
    expect(await find()).toEqual([])
  })

  it('a host that answers, and neither removes it nor says why, after a grace', async () => {
    await cloud.leaveTombstone(serverId)
    expect(await find()).toEqual([])
    await cloud.change('servers', serverId, `deleted_at = now() - interval '90 s'`)
    expect(await find()).toEqual([])
    await cloud.change('hosts', one, `updated_at = now() - interval '90 s'`)
    expect(await find()).toMatchObject([{ code: 'tombstone.refused', about: { serverId, hostId: one } }])
    await cloud.change('hosts', one, `quarantine = 'Its journal is gone.'`)
    expect((await find()).map(({ code }) => code)).toEqual(['host.quarantined'])
  })

  it('disks of a server that is deleted, and disks of nobody', async () => {
    const stranger = newId<ServerId>(systemRandom)
    const before = await surveyWith(() => ({ domain: null }))
    await cloud.forget(serverId)
    const more = { serverId: stranger, domain: null, folders: [{ incarnation: 3, bytes: 1 }], journal: null }
    const found = await find([{ ...before[0]!, servers: [...before[0]!.servers, more], strays: ['lost+found'] }, before[1]!])
    const codes = found.map(({ code, about }) => [code, about.serverId])
    expect(codes).toContainEqual(['disk.not-recorded', serverId])
    expect(codes).toContainEqual(['disk.unknown', stranger])
    expect(codes).toContainEqual(['disk.unknown', undefined])
    expect(codes).toHaveLength(3)
  })

  it('says nothing of what a host that was fenced is told to remove when it comes back', async () => {
    const before = await surveyAll()
    await cloud.change('hosts', one, 'fencing_epoch = 2')
    await cloud.forget(serverId)
    expect(await find(before)).toEqual([])
    expect(await readAbandoned(database, defaultCheckOptions)).toMatchObject([{ serverId, incarnation: 1, hostName: 'one' }])
    await database.execute('DELETE FROM abandoned_guests')
    expect(await find(before)).toMatchObject([{ code: 'guest.not-recorded', about: { serverId, hostId: one } }])
  })
})

describe('promise 8', () => {
  it('a project that is counted as using what its servers do not have', async () => {
    await database.execute('UPDATE project_quotas SET used_cores = 7 WHERE project_id = $1', [projectId])
    expect(await find()).toMatchObject([
      {
        promise: 8,
        code: 'quota.use-differs',
        about: { projectId },
        found: { counted: { cores: 7 }, used: { cores: 2 } },
      },
    ])
  })

  it('servers of a project that has no count at all', async () => {
    await database.execute('DELETE FROM project_quotas')
    expect(await find()).toMatchObject([
      { code: 'quota.use-differs', found: { counted: { instances: 0 }, used: { instances: 2 } } },
    ])
  })
})

describe('of networks are found', () => {
  const counted = (use: string) => database.execute(`UPDATE project_quotas SET ${use} WHERE project_id = $1`, [projectId])

  /** A port of the server, bound to a host; everything is as it should be, and told. */
  async function portOn(hostId: HostId): Promise<void> {
    const network = await networks.network(7)
    await networks.port(network, { address: '10.0.0.5', mac: 'fa:16:3e:00:00:05', hostId, serverId })
    await database.execute('DELETE FROM network_changes')
    await counted('used_networks = 1, used_subnets = 1, used_ports = 1')
  }

  it('none while they are in order', async () => {
    await portOn(one)
    expect(await find()).toEqual([])
  })

  it('a port that is bound elsewhere than its server is', async () => {
    await portOn(two)
    expect(await find()).toMatchObject([{ promise: 2, code: 'port.astray', about: { serverId, hostId: two } }])
  })

  it('a port that is bound to no host though its server is on one', async () => {
    await portOn(one)
    await database.execute('UPDATE ports SET host_id = NULL')
    expect(await find()).toMatchObject([{ code: 'port.astray', about: { serverId } }])
  })

  it('addresses of a deleted port of which its host does not let go, after a grace', async () => {
    await portOn(one)
    await database.execute(`UPDATE ports SET server_id = NULL, gone_at = clock_timestamp() - interval '90 s'`)
    await counted('used_ports = 0')
    expect(await find()).toEqual([])
    await cloud.change('hosts', one, `updated_at = clock_timestamp() - interval '90 s'`)
    expect(await find()).toMatchObject([{ promise: 6, code: 'port.held', about: { hostId: one } }])
    await database.execute('INSERT INTO port_holders (port_id, host_id) SELECT id, host_id FROM ports')
    await database.execute('UPDATE ports SET host_id = NULL')
    expect(await find()).toMatchObject([{ code: 'port.held', about: { hostId: one } }])
    await database.execute(`INSERT INTO host_networks (host_id, trouble) VALUES ($1, 'no device')`, [one])
    expect((await find()).map(({ code }) => code)).toEqual(['network.trouble'])
  })

  it('a port that outlives its server', async () => {
    await portOn(one)
    await database.execute('DELETE FROM allocations WHERE server_id = $1', [serverId])
    await cloud.change('servers', serverId, `deleted_at = clock_timestamp(), vm_state = 'deleted', host_id = NULL`)
    expect((await find()).map(({ code }) => code)).toContain('port.of-deleted')
  })

  it('changes that nobody tells', async () => {
    await networks.network(7)
    await counted('used_networks = 1, used_subnets = 1')
    await database.execute(
      `INSERT INTO network_changes (subject, subject_id, changed_at) SELECT 'network', id, clock_timestamp() - interval '2 minutes' FROM networks`,
    )
    expect(await find()).toMatchObject([{ promise: 3, code: 'network.untold' }])
  })

  it('ports that a host was told of and does not speak of, after a grace', async () => {
    await portOn(one)
    await database.execute(`UPDATE ports SET status = 'BUILD'`)
    expect(await find()).toEqual([])
    await database.execute(`UPDATE ports SET updated_at = clock_timestamp() - interval '90 s'`)
    expect(await find()).toEqual([])
    await cloud.change('hosts', one, `updated_at = clock_timestamp() - interval '90 s'`)
    expect(await find()).toMatchObject([{ promise: 3, code: 'network.unanswered', about: { hostId: one } }])
    await cloud.change('hosts', one, 'heard_ms = heard_ms - 3600000')
    expect(await find()).toEqual([])
  })

  it('a router that waits for a host which was told of everything', async () => {
    const routerId = await networks.router()
    await counted('used_routers = 1')
    await database.execute('UPDATE routers SET left_host_id = $1', [one])
    expect(await find()).toEqual([])
    await database.execute('DELETE FROM network_changes')
    expect(await find()).toMatchObject([{ promise: 3, code: 'router.waiting', about: { routerId, hostId: one } }])
    await database.execute('INSERT INTO host_networks (host_id, wanted, applied) VALUES ($1, 3, 2)', [one])
    expect(await find()).toEqual([])
    await database.execute('UPDATE host_networks SET applied = 3')
    await database.execute('UPDATE routers SET plan_revision = 4')
    expect(await find()).toEqual([])
  })

  it('what a host cannot do', async () => {
    await database.execute(`UPDATE hearing SET marked_at = clock_timestamp(), heard_ms = 1`)
    await database.execute(`INSERT INTO host_networks (host_id, trouble) VALUES ($1, 'no device for the network')`, [one])
    expect(await find()).toMatchObject([{ code: 'network.trouble', about: { hostId: one, hostName: 'one' } }])
  })

  it('what a host does worse than it could', async () => {
    await database.execute(`UPDATE hearing SET marked_at = clock_timestamp(), heard_ms = 1`)
    await database.execute(`INSERT INTO host_networks (host_id, warning) VALUES ($1, 'eth0 is too narrow')`, [one])
    expect(await find()).toMatchObject([
      { code: 'network.warning', about: { hostName: 'one' }, message: expect.stringContaining('eth0 is too narrow') },
    ])
  })

  it('what is counted and not there', async () => {
    await counted('used_ports = 3')
    expect(await find()).toMatchObject([
      { promise: 8, code: 'quota.network-use-differs', found: { counted: { port: 3 }, used: { port: 0 } } },
    ])
  })
})

it('no more is told of one kind than is asked for', async () => {
  for (const id of [one, two]) await cloud.change('hosts', id, 'server_count = 9')
  expect(await examine(database, [], { ...defaultCheckOptions, limit: 1 })).toHaveLength(1)
})

it('everything that can be found, and whatever finds it, is in docs/promises.md', () => {
  const told = readFileSync(join(import.meta.dirname, '../../../../docs/promises.md'), 'utf8')
  const checks = readdirSync(import.meta.dirname).filter((name) =>
    /export const \w+: (Record|Host)Check/.test(readFileSync(join(import.meta.dirname, name), 'utf8')),
  )
  expect(checks.length).toBeGreaterThan(5)
  expect([...Object.keys(findingKinds), ...checks].filter((name) => !told.includes(`\`${name}\``))).toEqual([])
})

it('everything that can be found is broken on purpose here', () => {
  expect(Object.keys(findingKinds).filter((code) => !shown.has(code as FindingCode))).toEqual([])
})
