import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { createServer, deleteServer } from '../bench/servers.js'
import { prepare, type Stage } from '../bench/stage.js'
import { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'
import { parseFigures } from '../support/figures.js'

// A cloud as its operator meets it: what it tells of itself, what it does when it has too much to do or lacks what it stands
// on, and how it ends.

jest.setTimeout(300_000)

const patience = { timeoutMs: 120_000, everyMs: 50 }
const size = { vcpus: 1_024, memoryMiB: 1_048_576, diskGiB: 16_384 }
/** Of servers that wait for a scheduler. */
const mostWaiting = 10

const stack = new AsyncDisposableStack()
let cloud: Cloud
let stage: Stage
let database: Database
let adminToken: string

beforeAll(async () => {
  const hosts = ['one', 'two'].map((name) => ({ name, ...size }))
  cloud = stack.use(await Cloud.start({ hosts, takeOnUntil: { placements: mostWaiting } }))
  stage = await prepare(cloud, stack, new Uint8Array(1024 * 1024))
  adminToken = (await cloud.admin()).token!
  database = Database.connect({ ...cloud.databaseAddress, poolSize: 2 })
  stack.defer(() => database.close())
}, 300_000)
afterAll(() => stack.disposeAsync())

const create = (name: string) => createServer(stage.demo, name, stage.parts)
const post = (name: string) =>
  stage.demo.compute<{ serviceUnavailable?: { code: number; message: string } }>('POST', '/servers', {
    server: { name, ...stage.parts, networks: 'none' },
  })
const readiness = async () => {
  const response = await fetch(`${cloud.apiUrl}/readyz`)
  const report = (await response.json()) as { ready: boolean; checks: Record<string, string>; refusing?: string }
  return { status: response.status, ...report }
}
const countServers = async () => (await database.query<{ count: number }>('SELECT count(*) AS count FROM servers'))[0]!.count
const allActive = (ids: readonly string[]) =>
  waitFor('all are ACTIVE', async () => (await stage.times.progress(ids)).active === ids.length, patience)
/** Told that there is too much to do, whoever wants something done asks again. */
const isDeletionTaken = async (id: string) => {
  const { status } = await stage.demo.compute('DELETE', `/servers/${id}`)
  if (status !== 503) expect([204, 404]).toContain(status)
  return status !== 503
}
const removeAll = async (ids: readonly string[]) => {
  await Promise.all(ids.map((id) => waitFor('its deletion is taken', () => isDeletionTaken(id), patience)))
  await waitFor('all are gone', async () => (await stage.times.progress(ids)).gone === ids.length, patience)
}

describe('figures', () => {
  it('are told by every service, away from where tenants come', async () => {
    const id = await create('figures')
    await allActive([id])
    await removeAll([id])
    const told = Object.fromEntries(
      await Promise.all(cloud.names.map(async (name) => [name, parseFigures(await cloud.figuresOf(name))] as const)),
    )
    for (const figures of Object.values(told)) {
      for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
        expect(figures.has(name)).toBe(true)
    }
    const valueOf = (service: keyof typeof told, name: string, labels: Record<string, string> = {}) =>
      told[service]!.get(name)?.find((figure) => Object.entries(labels).every(([key, value]) => figure.labels[key] === value))
        ?.value
    expect(
      valueOf('api', 'nubo_http_request_duration_seconds_count', { method: 'POST', route: '/v2.1/servers', status: '202' }),
    ).toBe(1)
    expect(valueOf('api', 'nubo_messages_cast_total', { queue: 'placement', outcome: 'cast' })).toBeGreaterThan(0)
    expect(valueOf('api', 'nubo_database_connections', { state: 'limit' })).toBe(16)
    expect(valueOf('scheduler', 'nubo_placements_total', { outcome: 'claimed' })).toBe(1)
    expect(valueOf('conductor', 'nubo_results_total', { step: 'build', outcome: 'done' })).toBe(1)
    expect(valueOf('conductor', 'nubo_hosts', { state: 'up' })).toBe(2)
    expect(valueOf('conductor', 'nubo_queue_waiting', { queue: 'placement' })).toBe(0)
    expect(valueOf('conductor', 'nubo_queue_oldest_seconds', { queue: 'reports' })).toBeLessThan(60)
    for (const kind of ['server.create', 'server.delete'])
      expect(valueOf('conductor', 'nubo_operations_ended_total', { kind, outcome: 'done' })).toBe(1)
    expect(valueOf('conductor', 'nubo_survey_failures_total')).toBeUndefined()
    expect(told['agent-one']!.has('nubo_image_cache_bytes')).toBe(true)
    expect((await fetch(`${cloud.apiUrl}/metrics`)).status).toBe(404)
    expect((await fetch(`${cloud.imageUrl}/metrics`)).status).toBe(404)
  })

  it('speak of no server, no project and no path', async () => {
    const id = await create('a-name-of-a-tenant')
    await allActive([id])
    await stage.demo.compute('GET', `/servers/${id}`)
    for (const name of cloud.names) {
      const text = await cloud.figuresOf(name)
      expect(text).not.toContain(id)
      expect(text).not.toContain('a-name-of-a-tenant')
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}/)
    }
    await removeAll([id])
  })
})

describe('while there is more to do than the cloud can', () => {
  it('the api takes in nothing that adds to it, says so, and goes on with the rest', async () => {
    await cloud.kill('scheduler', 'SIGTERM')
    const accepted: string[] = []
    let refusal: Awaited<ReturnType<typeof post>> | undefined
    await waitFor(
      'a create to be refused',
      async () => {
        const answer = await post('one-too-many')
        if (answer.status === 202) accepted.push((answer.body as unknown as { server: { id: string } }).server.id)
        else refusal = answer
        return refusal !== undefined
      },
      { ...patience, everyMs: 200 },
    )
    expect(refusal).toMatchObject({
      status: 503,
      body: { serviceUnavailable: { code: 503, message: expect.stringContaining('too much to do') } },
    })
    expect(refusal!.headers.get('retry-after')).toBe('5')
    const before = await countServers()
    expect((await post('none')).status).toBe(503)
    expect(await countServers()).toBe(before)

    expect(await readiness()).toMatchObject({
      status: 200,
      ready: true,
      refusing: expect.stringContaining('wait for a scheduler'),
    })
    expect((await stage.demo.compute('GET', '/servers')).status).toBe(200)
    expect((await cloud.demo()).token).toBeDefined()
    await deleteServer(stage.demo, accepted.shift()!)
    const figures = parseFigures(await cloud.figuresOf('api'))
    expect(figures.get('nubo_requests_refused_total')).toMatchObject([{ labels: { reason: 'placements' } }])

    await cloud.startService('scheduler')
    await allActive(accepted)
    await waitFor('work to be taken on again', async () => (await readiness()).refusing === undefined, patience)
    const more = await create('more')
    await allActive([more])
    await removeAll([...accepted, more])
  })
})

// Five hundred of them held all that the api answers at once, for as long as they came again: nobody needed so much as a token.
describe('clients that send slowly', () => {
  it.each(['without a token', 'with one'])('%s keep nobody else from being heard', async (how) => {
    const { hostname, port } = new URL(cloud.apiUrl)
    const [path, token] =
      how === 'with one' ? ['/v2.1/servers', `X-Auth-Token: ${stage.demo.token}\r\n`] : ['/v3/auth/tokens', '']
    const head = `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${token}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`
    const open = async () => {
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write(head)
      return socket
    }
    const before = await refusedFor('share')
    const sockets = await Promise.all(Array.from({ length: 600 }, open))
    const admin = new CloudClient(cloud.apiUrl, cloud.imageUrl)
    admin.token = adminToken
    await waitFor('what is refused to be said', async () => (await refusedFor('share')) > before, patience)
    expect((await admin.compute('GET', '/servers')).status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  const refusedFor = async (reason: string) =>
    parseFigures(await cloud.figuresOf('api'))
      .get('nubo_requests_refused_total')
      ?.find(({ labels }) => labels['reason'] === reason)?.value ?? 0
})

describe('while Redis is away', () => {
  it('a create is accepted at once, waits, and is done when it is back', async () => {
    await cloud.redis.halt()
    const id = await create('patient')
    await waitFor('the api to tell of it', async () => (await readiness()).checks['queue'] !== 'ok', patience)
    expect(await readiness()).toMatchObject({ status: 200, ready: true })
    await cloud.redis.start()
    await allActive([id])
    await removeAll([id])
  })

  it('and where it only keeps silent, nobody waits for it for ever', async () => {
    process.kill(cloud.redis.pid!, 'SIGSTOP')
    const ids = [await create('silent-1'), await create('silent-2')]
    process.kill(cloud.redis.pid!, 'SIGCONT')
    await allActive(ids)
    expect(await readiness()).toMatchObject({ ready: true })
    await removeAll(ids)
  })
})

describe('while PostgreSQL is away', () => {
  it('every request that needs it is refused with 503, and all is well again when it is back', async () => {
    await cloud.postgres.halt()
    const answers = await Promise.all([
      post('nowhere'),
      stage.demo.compute('GET', '/servers'),
      stage.demo.compute('DELETE', '/servers/3b1c7c7e-5a2c-4b0f-9f0e-0c7d1a6f5a11'),
      stage.demo.image('GET', '/images'),
    ])
    for (const { status, headers } of answers) expect([status, headers.get('retry-after')]).toEqual([503, expect.any(String)])
    await expect(cloud.demo()).rejects.toThrow('503')
    await waitFor('the api to be unready', async () => (await readiness()).status === 503, patience)
    expect((await readiness()).checks['database']).toContain('The database cannot be reached')
    expect((await fetch(`${cloud.apiUrl}/healthz`)).status).toBe(200)
    await cloud.postgres.start()
    await waitFor('the api to be ready', async () => (await readiness()).status === 200, patience)
    const id = await createWhenTaken('again')
    await allActive([id])
    await removeAll([id])
  })
})

describe('a service that is told to stop under load', () => {
  it.each(['scheduler', 'conductor', 'agent-one', 'image', 'api'] as const)(
    '%s leaves with 0, and what was under way goes on with its next process',
    async (name) => {
      let done = false
      const ids: string[] = []
      const load = Promise.all(
        Array.from({ length: 3 }, async (_, client) => {
          for (let index = 0; !done; index++) ids.push(await createWhenTaken(`${name}-${client}-${index}`))
        }),
      )
      await waitFor('some to be under way', async () => ids.length > 10, patience)
      await cloud.kill(name, 'SIGTERM')
      expect(cloud.endOf(name)).toBe(0)
      await cloud.startService(name)
      const before = ids.length
      await waitFor('some more to be made', async () => ids.length > before + 5, patience)
      done = true
      await load
      await allActive(ids)
      await removeAll(ids)
    },
  )
})

/** As a client with patience: again after 503, and where nobody answers. */
async function createWhenTaken(name: string): Promise<string> {
  let id: string | undefined
  await waitFor(
    'a create to be accepted',
    async () => {
      const answer = await post(name).catch(() => undefined)
      if (answer?.status === 202) id = (answer.body as unknown as { server: { id: string } }).server.id
      else if (answer && answer.status !== 503) throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`)
      return id !== undefined
    },
    { ...patience, everyMs: 100 },
  )
  return id!
}
