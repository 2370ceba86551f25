import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import { addHost, addServer } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let demo: string
let demoProject: string
let serverId: ServerId

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
  const [project] = await api.database.query<{ id: string }>(`SELECT id FROM projects WHERE name = 'demo'`)
  demoProject = project!.id
  serverId = await addServer(api.database, await addHost(api.database, { name: 'host-1' }), { memoryMiB: 64 })
})
afterAll(() => api.stop())

interface Given {
  projectId?: string
  kind?: string
  state?: string
  ageSeconds?: number
  deadlineInSeconds?: number
}

async function addOperation({
  projectId = demoProject,
  kind = 'server.create',
  state = 'done',
  ageSeconds = 10,
  deadlineInSeconds,
}: Given): Promise<string> {
  const id = newId(systemRandom)
  await api.database.execute(
    `INSERT INTO operations (id, kind, server_id, project_id, request_id, state, started_at, deadline_at) VALUES ($1, $2, $3, $4, 'req-1', $5,
       now() - $6::int * interval '1 second', now() + $7::int * interval '1 second')`,
    [id, kind, state === 'running' ? serverId : null, projectId, state, ageSeconds, deadlineInSeconds ?? null],
  )
  return id
}

async function addStep(operationId: string, name: string, state: string, more: { hostId?: string; message?: string } = {}) {
  await api.database.execute(
    `INSERT INTO operation_steps (id, operation_id, name, queue, state, attempt, hints, host_id, result, next_hint_at, finished_at)
     VALUES (gen_random_uuid(), $1, $2, 'q', $3, 2, 5, $4, $5, now() + interval '20 s', CASE $3 WHEN 'open' THEN NULL ELSE now() END)`,
    [operationId, name, state, more.hostId ?? null, more.message ? { message: more.message } : null],
  )
}

async function get(path: string, token: string) {
  const response = await api.send('GET', `/nubo/v1/operations${path}`, { token })
  return { status: response.statusCode, body: JSON.parse(response.body) }
}

const ids = (body: { operations: { id: string }[] }) => body.operations.map(({ id }) => id)

describe('operations', () => {
  let live: string
  let old: string
  let foreign: string

  beforeAll(async () => {
    const [host] = await api.database.query<{ id: string }>('SELECT id FROM hosts')
    old = await addOperation({ kind: 'server.delete', ageSeconds: 3_600 })
    foreign = await addOperation({ projectId: 'another', state: 'failed', ageSeconds: 60 })
    live = await addOperation({ state: 'running', ageSeconds: 30, deadlineInSeconds: 600 })
    await addStep(live, 'place', 'done')
    await addStep(live, 'build', 'failed', { hostId: host!.id, message: 'its disk is full' })
    await addStep(live, 'build', 'open', { hostId: host!.id })
  })

  it('of a project are its own, newest first; the operator sees all', async () => {
    expect(ids((await get('', demo)).body)).toEqual([live, old])
    expect(ids((await get('', admin)).body)).toEqual([live, foreign, old])
  })

  it.each([
    ['?state=live', () => [live]],
    ['?state=failed', () => [foreign]],
    ['?kind=server.delete', () => [old]],
    ['?older_than=45', () => [foreign, old]],
    ['?project_id=another', () => [foreign]],
  ])('are found by %s', async (query, expected) => {
    expect(ids((await get(query, admin)).body)).toEqual(expected())
  })

  it('are found by their server', async () => {
    expect(ids((await get(`?server_id=${serverId}`, demo)).body)).toEqual([live])
  })

  it('come in pages, each with the way to the next', async () => {
    const first = (await get('?limit=2&older_than=5', admin)).body
    expect(ids(first)).toEqual([live, foreign])
    const { pathname, search } = new URL(first.operations_links[0].href)
    const second = JSON.parse((await api.send('GET', pathname + search, { token: admin })).body)
    expect(ids(second)).toEqual([old])
    expect(second.operations_links).toBeUndefined()
  })

  it('tell how far they have come, how long they may last, and what went wrong last', async () => {
    const { operation } = (await get(`/${live}`, demo)).body
    expect(operation).toMatchObject({
      ...{ kind: 'server.create', state: 'running', attempt: 2, last_failure: 'its disk is full' },
      progress: { step: 'build', undoing: false, steps_done: 1, steps_total: 2 },
    })
    expect(operation.seconds_left).toBeGreaterThan(500)
    expect(operation.age_seconds).toBeGreaterThanOrEqual(30)
    expect(operation.steps).toMatchObject([
      { name: 'place', state: 'done' },
      { name: 'build', state: 'failed', message: 'its disk is full' },
      { name: 'build', state: 'open', attempt: 2, hints: 5 },
    ])
    expect(operation.steps[2].next_hint_in_seconds).toBeGreaterThan(0)
  })

  it('name hosts to the operator alone', async () => {
    expect((await get(`/${live}`, admin)).body.operation.steps[2]).toMatchObject({ host: 'host-1' })
    expect(JSON.stringify((await get(`/${live}`, demo)).body)).not.toContain('host-1')
  })

  it('of others are not there for a project', async () => {
    expect((await get(`/${foreign}`, demo)).status).toBe(404)
    expect((await get(`?marker=${foreign}`, demo)).status).toBe(400)
    expect((await get('?project_id=another', demo)).body.operations).toEqual([])
  })

  it.each(['?state=gone', '?server_id=web', '?older_than=-1', '?marker=x', '?sort=age'])('refuse %s', async (query) => {
    expect((await get(query, demo)).status).toBe(400)
  })
})
