import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import { computeRequests } from '../../testing/compute-requests.js'
import { addHost, addServer } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let serverId: ServerId

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
  const hostId = await addHost(api.database, { name: 'host-1' })
  serverId = await addServer(api.database, hostId, { memoryMiB: 64 })
  const [project] = await api.database.query<{ id: string }>(`SELECT id FROM projects WHERE name = 'demo'`)
  await api.database.execute('UPDATE servers SET project_id = $1', [project!.id])
  for (const [index, kind] of ['server.create', 'server.stop', 'server.start'].entries())
    await api.database.execute(
      `WITH operation AS (
         INSERT INTO operations (id, kind, server_id, project_id, request_id, state, started_at, updated_at)
         VALUES (gen_random_uuid(), $1, $2, $3, $4, 'done', $5, $5) RETURNING id)
       INSERT INTO operation_steps (id, operation_id, name, queue, state, host_id, finished_at)
       SELECT gen_random_uuid(), id, $6, 'q', 'done', $7, now() FROM operation`,
      [kind, serverId, project!.id, `req-${index + 1}`, `2026-01-0${index + 1}T12:00:00Z`, kind.slice(7), hostId],
    )
})
afterAll(() => api?.stop())

const path = (query = '') => `/servers/${serverId}/os-instance-actions${query}`

async function list(query = '', version = '2.96') {
  const { status, body, message } = await demo('GET', path(query), { version })
  const names = body?.instanceActions?.map(({ request_id }: { request_id: string }) => request_id)
  return { status, message, names, next: body?.links?.[0].href as string | undefined }
}

describe('what was done to a server', () => {
  it('is listed, newest first, in pages that lead to the next with all that was asked', async () => {
    expect(await list()).toMatchObject({ status: 200, names: ['req-3', 'req-2', 'req-1'], next: undefined })
    const first = await list('?limit=1&changes-since=2026-01-02')
    expect(first.names).toEqual(['req-3'])
    const second = await list(new URL(first.next!).search)
    expect(second.names).toEqual(['req-2'])
    expect(await list(new URL(second.next!).search)).toMatchObject({ names: [], next: undefined })
    expect((await list('?limit=5000')).names).toHaveLength(3)
    expect(await list('?limit=0')).toMatchObject({ names: [], next: undefined })
  })

  it('is listed by when it changed', async () => {
    expect((await list('?changes-before=2026-01-02T12:00:00Z')).names).toEqual(['req-2', 'req-1'])
    const during = '?changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-02T23:00:00Z'
    expect((await list(during)).names).toEqual(['req-2'])
  })

  it.each([
    ['?limit=-1', "Value: -1. '-1' does not match"],
    ['?limit=few', "Value: few. 'few' does not match"],
    ['?limit=1&limit=2', 'is too long'],
    ['?marker=req-9', 'Marker req-9 could not be found.'],
    ['?changes-since=yesterday', "'yesterday' is not a 'date-time'"],
    ['?changes-since=2026-13-41', "'2026-13-41' is not a 'date-time'"],
    ['?changes-since=2026-01-03&changes-before=2026-01-01', 'must be less than or equal to changes-before'],
    ['?colour=red', "Additional properties are not allowed ('colour' was unexpected)"],
  ])('is refused for %s, with the reason', async (query, message) => {
    expect(await list(query)).toMatchObject({ status: 400, message: expect.stringContaining(message) })
  })

  it('takes what each version took', async () => {
    expect((await list('?limit=1&colour=red', '2.57')).names).toHaveLength(3)
    expect((await list('?changes-before=2026-01-01', '2.65')).status).toBe(400)
    expect((await list('?changes-before=2026-01-01', '2.66')).status).toBe(200)
  })

  it('says in an event on which host it was: by name to administrators, else as the server itself does', async () => {
    const { hostId } = (await demo('GET', `/servers/${serverId}`)).body.server
    expect(hostId).toMatch(/^[0-9a-f]{56}$/)
    const [event] = (await demo('GET', path('/req-2'))).body.instanceAction.events
    expect(event).toMatchObject({ event: 'compute_stop_instance', result: 'Success', hostId })
    expect(event.host).toBeUndefined()
    expect((await admin('GET', path('/req-2'))).body.instanceAction.events).toMatchObject([{ host: 'host-1', hostId }])
  })

  it('is not there for others, nor by another name', async () => {
    const stranger = newId<ServerId>(systemRandom)
    expect((await demo('GET', `/servers/${stranger}/os-instance-actions`)).status).toBe(404)
    expect(await demo('GET', path('/req-9'))).toMatchObject({ status: 404, message: 'Action req-9 not found' })
    await api.database.execute(`UPDATE servers SET project_id = 'another'`)
    for (const each of [path(), path('/req-2')]) expect((await demo('GET', each)).status).toBe(404)
    expect((await admin('GET', path())).body.instanceActions).toHaveLength(3)
  })

  it('of a deleted server is shown since 2.21', async () => {
    await api.database.execute(`UPDATE servers SET deleted_at = now(), vm_state = 'deleted'`)
    for (const each of [path(), path('/req-2')]) {
      expect((await admin('GET', each, { version: '2.21' })).status).toBe(200)
      expect((await admin('GET', each, { version: '2.20' })).status).toBe(404)
    }
  })
})
