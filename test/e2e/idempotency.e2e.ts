import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { newId, systemRandom } from '@nubo/kernel'
import type { Answer, CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'

// Promise 4 where it is hard: the process that was asked is killed, with kill -9, before its answer has come.

const minutes = 60_000
const waiting = { timeoutMs: 2 * minutes, everyMs: 20 }

interface Server {
  id: string
  name: string
  status: string
}
type Created = Answer<{ server: { id: string } }>

let cloud: Cloud
let demo: CloudClient
let database: Database
let parts: { imageRef: string; flavorRef: string; networks: string }

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: [{ name: 'large', vcpus: 1_000, memoryMiB: 1_000 * 64, diskGiB: 2_000 }] })
  database = Database.connect({ ...cloud.databaseAddress, poolSize: 2 })
  const admin = await cloud.admin()
  demo = await cloud.demo()
  const unlimited = { quota_set: { instances: -1, cores: -1, ram: -1 } }
  await admin.compute('PUT', `/os-quota-sets/${await projectOfDemo()}`, unlimited)
  const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', {
    flavor: { name: 'tiny', vcpus: 1, ram: 64, disk: 1 },
  })
  parts = { imageRef, flavorRef: made.body.flavor.id, networks: 'none' }
}, 2 * minutes)

afterAll(async () => {
  await database?.close()
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

beforeEach(async () => {
  for (const { id } of await servers()) await demo.compute('DELETE', `/servers/${id}`)
  await waitFor('there is no server', async () => (await servers()).length === 0, waiting)
})

async function projectOfDemo(): Promise<string> {
  const { body } = await demo.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
  return body.projects[0]!.id
}

const servers = async () => (await demo.compute<{ servers: Server[] }>('GET', '/servers/detail')).body.servers

/** Undefined where no answer came. */
const create = (name: string, key: string): Promise<Created | undefined> =>
  demo
    .compute<Created['body']>('POST', '/servers', { server: { name, ...parts } }, { 'Idempotency-Key': key })
    .catch(() => undefined)

const wasReplayed = ({ headers }: Created) => headers.get('idempotent-replayed') === 'true'

/** As a client does: asks until it is told. */
async function createSurely(name: string, key: string) {
  let lost = 0
  const answer = await waitFor(
    `there is an answer to the creation of ${name}`,
    async () => {
      const told = await create(name, key)
      if (!told) lost += 1
      const again = !told || ((told.status === 409 || told.status === 503) && told.headers.has('retry-after'))
      return again ? undefined : told
    },
    waiting,
  )
  expect([answer.status, answer.body]).toEqual([202, answer.body])
  return { name, id: answer.body.server.id, foundMade: lost > 0 && wasReplayed(answer) }
}

async function restart(): Promise<void> {
  await cloud.kill('api')
  await cloud.startService('api')
}

async function allActive(): Promise<Server[]> {
  const all = async () => {
    const found = await servers()
    return found.every(({ status }) => status === 'ACTIVE') ? found : undefined
  }
  return await waitFor('every server is ACTIVE', all, waiting)
}

it(
  'a creation whose process is killed in the middle blocks its key no longer than the process lived, and is made once',
  async () => {
    const key = newId(systemRandom)
    const project = await projectOfDemo()
    let first: Promise<Created | undefined> = Promise.resolve(undefined)
    await database.transaction(async (tx) => {
      // What every creation in the project has to write: this one stops here, with its key claimed and nothing committed.
      await tx.query('SELECT FROM project_quotas WHERE project_id = $1 FOR UPDATE', [project])
      first = create('halfway', key)
      const stuck = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO project_quotas%'`
      await waitFor('the creation waits', async () => (await database.query(stuck)).length === 1, waiting)
      const second = await create('halfway', key)
      expect([second?.status, second?.headers.get('retry-after')]).toEqual([409, '1'])
      await cloud.kill('api')
    })
    expect(await first).toBeUndefined()
    await cloud.startService('api')
    expect(await servers()).toEqual([])

    const { id } = await createSurely('halfway', key)
    expect((await create('halfway', key))!.body.server.id).toBe(id)
    expect((await allActive()).map((server) => server.id)).toEqual([id])
  },
  3 * minutes,
)

it(
  'creations repeated with their keys while the api is killed over and over: as many servers as keys',
  async () => {
    const created: Awaited<ReturnType<typeof createSurely>>[] = []
    // Until a creation was seen that had been committed, though nobody was told: that is what keys are for.
    for (let round = 0; round < 6 || !created.some(({ foundMade }) => foundMade); round++) {
      const before = created.length
      const batch = Array.from({ length: 12 }, async (_, index) => {
        created.push(await createSurely(`server-${round}-${index}`, newId(systemRandom)))
      })
      await waitFor('the first of them are answered', () => created.length > before, waiting)
      await restart()
      await Promise.all(batch)
    }
    const found = await allActive()
    const told = created.map(({ id, name }) => ({ id, name }))
    const byName = (left: { name: string }, right: { name: string }) => left.name.localeCompare(right.name)
    expect(found.map(({ id, name }) => ({ id, name })).toSorted(byName)).toEqual(told.toSorted(byName))
  },
  5 * minutes,
)
