import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { newId, systemRandom } from '@nubo/kernel'
import type { Answer, CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'
import { repository } from '../support/repository.js'

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

/** Kills the api while it carries out what `begin` sends, which is a creation by demo: its key is claimed, and nothing committed. */
async function killInTheMiddle<T>(begin: () => Promise<T>, meanwhile: () => Promise<void> = async () => undefined) {
  const project = await projectOfDemo()
  return await database.transaction(async (tx) => {
    // What every creation in the project has to write.
    await tx.query('SELECT FROM project_quotas WHERE project_id = $1 FOR UPDATE', [project])
    const outcome = begin()
    const stuck = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO project_quotas%'`
    const waits = async () => {
      // A transaction sees one state of the other connections until it asks for a new one.
      await tx.query('SELECT pg_stat_clear_snapshot()')
      return (await tx.query(stuck)).length === 1
    }
    await waitFor('the creation waits', waits, waiting)
    await meanwhile()
    await cloud.kill('api')
    return { outcome }
  })
}

/** Runs the command line as demo, to its end. */
async function nubo(...words: string[]) {
  const environment = {
    ...{ OS_AUTH_URL: `${cloud.apiUrl}/v3`, OS_USERNAME: 'demo', OS_PASSWORD: cloud.passwords.demo, OS_PROJECT_NAME: 'demo' },
    ...{ PATH: process.env['PATH'], HOME: cloud.directory, OS_CLIENT_CONFIG_FILE: '/dev/null' },
  }
  const child = spawn(process.execPath, [join(repository, 'clients/cli/bin/nubo.js'), ...words], { env: environment })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: code as number, stdout, stderr }
}

it(
  'a creation whose process is killed in the middle blocks its key no longer than the process lived, and is made once',
  async () => {
    const key = newId(systemRandom)
    const first = await killInTheMiddle(
      () => create('halfway', key),
      async () => {
        const second = await create('halfway', key)
        expect([second?.status, second?.headers.get('retry-after')]).toEqual([409, '1'])
      },
    )
    expect(await first.outcome).toBeUndefined()
    await cloud.startService('api')
    expect(await servers()).toEqual([])

    const { id } = await createSurely('halfway', key)
    expect((await create('halfway', key))!.body.server.id).toBe(id)
    expect((await allActive()).map((server) => server.id)).toEqual([id])
  },
  3 * minutes,
)

it(
  'nubo gets its server although the api is killed in the middle, and the same one when it is run again',
  async () => {
    const command = [
      'server',
      'create',
      'web',
      '--image',
      'tiny',
      '--flavor',
      'tiny',
      '--network',
      'none',
      '--idempotency-key',
      newId(systemRandom),
    ]
    const first = await killInTheMiddle(() => nubo(...command, '--quiet'))
    await cloud.startService('api')
    const { code, stdout, stderr } = await first.outcome
    expect([code, stderr]).toEqual([0, ''])
    expect((await nubo(...command, '--quiet')).stdout).toBe(stdout)
    expect((await allActive()).map(({ id }) => `${id}\n`)).toEqual([stdout])
    const other = await nubo(...command.with(2, 'other'))
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('was used for another POST /v2.1/servers')])
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
