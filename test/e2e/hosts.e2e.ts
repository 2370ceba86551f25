import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '@nubo/deploy'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'

// The life of hosts, with every program as a process and real time. What becomes of them while Redis is away: test/chaos/outages.e2e.ts.

const minutes = 60_000

interface Host {
  id: string
  name: string
  state: string
  why: string | null
  abandoned: { server_id: string }[]
}

let cloud: Cloud
let admin: CloudClient
let parts: { imageRef: string; flavorRef: string; networks: string }

beforeAll(async () => {
  const size = { vcpus: 100, memoryMiB: 100 * 64, diskGiB: 1_000 }
  cloud = await Cloud.start({
    hosts: [
      { name: 'one', ...size },
      { name: 'two', ...size },
    ],
  })
  admin = await cloud.admin()
  const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const flavor = { name: 'tiny', vcpus: 1, ram: 64, disk: 1 }
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
  await liftQuota()
  parts = { imageRef, flavorRef: made.body.flavor.id, networks: 'none' }
}, 2 * minutes)
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

async function liftQuota(): Promise<void> {
  const { body } = await admin.call<{ projects: { id: string; name: string }[] }>('GET', `${cloud.apiUrl}/v3/projects?name=admin`)
  const quota_set = { instances: -1, cores: -1, ram: -1 }
  expect((await admin.compute('PUT', `/os-quota-sets/${body.projects[0]!.id}`, { quota_set })).status).toBe(200)
}

async function hosts(): Promise<Host[]> {
  return (await admin.call<{ hosts: Host[] }>('GET', `${cloud.apiUrl}/nubo/v1/hosts`)).body.hosts
}
const host = async (name: string) => (await hosts()).find((each) => each.name === name)!
const act = async (name: string, action: 'fence' | 'release') =>
  (await admin.call('POST', `${cloud.apiUrl}/nubo/v1/hosts/${(await host(name)).id}/${action}`, {})).status
const until = <T>(what: string, condition: () => Promise<T>) => waitFor(what, condition, { timeoutMs: 2 * minutes, everyMs: 100 })
const becomes = (name: string, state: string) => until(`host ${name} is ${state}`, async () => (await host(name)).state === state)

async function create(name: string): Promise<string> {
  const answer = await admin.compute<{ server: { id: string } }>('POST', '/servers', { server: { name, ...parts } })
  expect(answer.status).toBe(202)
  return answer.body.server.id
}

async function server(id: string): Promise<{ status: string; host: string; fault: string | undefined } | undefined> {
  const { status, body } = await admin.compute<{ server: Record<string, any> }>('GET', `/servers/${id}`)
  if (status === 404) return undefined
  return { status: body.server.status, host: body.server['OS-EXT-SRV-ATTR:host'], fault: body.server.fault?.message }
}
const isOf = (id: string, status: string) => until(`server ${id} is ${status}`, async () => (await server(id))?.status === status)
const isGone = (id: string) => until(`server ${id} is gone`, async () => (await server(id)) === undefined)

/** A server that is ACTIVE on this host: they go to the emptier one, so each host gets its turn. */
async function serverOn(name: string): Promise<string> {
  for (;;) {
    const id = await create('web')
    await isOf(id, 'ACTIVE')
    if ((await server(id))!.host === name) return id
  }
}

async function directoryOf(name: string): Promise<string> {
  return JSON.parse(await readFile(join(cloud.directory, `agent-${name}.json`), 'utf8')).host.directory
}
const foldersOf = async (name: string, id: string) =>
  (await readdir(join(await directoryOf(name), 'guests'))).filter((folder) => folder.startsWith(id))

it(
  'a host that falls silent is down and gets no new servers; those it has are left alone; back, it is up',
  async () => {
    const id = await serverOn('one')
    await cloud.kill('agent-one')
    await becomes('one', 'down')
    expect((await host('two')).state).toBe('up')
    expect(await server(id)).toMatchObject({ status: 'ACTIVE', host: 'one' })
    const created = await Promise.all(Array.from({ length: 5 }, (_, index) => create(`new-${index}`)))
    for (const each of created) await isOf(each, 'ACTIVE')
    for (const each of created) expect((await server(each))!.host).toBe('two')
    await cloud.startService('agent-one')
    await becomes('one', 'up')
    await isOf(id, 'ACTIVE')
  },
  5 * minutes,
)

it(
  'a host that was fenced comes back without what was given up, and with what it still has',
  async () => {
    const [deleted, kept] = [await serverOn('one'), await serverOn('one')]
    await cloud.kill('agent-one')
    expect(await act('one', 'fence')).toBe(200)
    await isOf(kept, 'ERROR')
    expect((await server(kept))!.fault).toContain('declared dead by an operator')
    await admin.compute('DELETE', `/servers/${deleted}`)
    await isGone(deleted)
    await until('its room is given up', async () => (await host('one')).abandoned.length > 0)
    expect((await host('one')).abandoned.map((each) => each.server_id)).toEqual([deleted])
    expect(await foldersOf('one', deleted)).toHaveLength(1)
    expect(await act('one', 'release')).toBe(200)
    await cloud.startService('agent-one')
    await becomes('one', 'up')
    expect(await foldersOf('one', deleted)).toEqual([])
    await until('it has said so', async () => (await host('one')).abandoned.length === 0)
    await isOf(kept, 'ACTIVE')
    expect((await server(kept))!.host).toBe('one')
  },
  5 * minutes,
)

it(
  'a host whose journal was lost goes on with its servers, and removes none before an operator has looked',
  async () => {
    const id = await serverOn('one')
    await cloud.kill('agent-one')
    await rm(join(await directoryOf('one'), 'journal'), { recursive: true })
    await cloud.startService('agent-one')
    await becomes('one', 'quarantined')
    expect((await host('one')).why).toContain('The journal of this host knows nothing of')
    // Its host was off: it is started again, quarantine or not.
    await until('it runs', async () => (await server(id))!.status === 'ACTIVE')
    const created = await Promise.all(Array.from({ length: 3 }, (_, index) => create(`elsewhere-${index}`)))
    for (const each of created) await isOf(each, 'ACTIVE')
    for (const each of created) expect((await server(each))!.host).toBe('two')
    await admin.compute('DELETE', `/servers/${id}`)
    await until('the command was left', async () => (await cloud.logOf('agent-one')).includes('left a command until a person'))
    expect(await foldersOf('one', id)).toHaveLength(1)
    expect(await act('one', 'release')).toBe(200)
    await becomes('one', 'up')
    await isGone(id)
    expect(await foldersOf('one', id)).toEqual([])
  },
  5 * minutes,
)

it(
  'a host that was copied: neither agent is let in before an operator has looked, nothing is removed, and then all goes on',
  async () => {
    const [deleted, kept] = [await serverOn('one'), await serverOn('one')]
    const twin = await cloud.startTwin('agent-one')
    await becomes('one', 'quarantined')
    expect((await host('one')).why).toContain('Two agents register as this host in turns')
    const refusals = async () => {
      const logs = await Promise.all(['agent-one', twin].map((name) => cloud.logOf(name as typeof twin)))
      return logs.every((log) => log.includes('the cloud does not let this host take part'))
    }
    await until('both agents say that they are refused', refusals)
    // Nothing is placed there; what is asked for of what lies there waits. (The copy has its guests off: whether the cloud
    // has begun to start them again before it knew of two agents is open here, so nothing is asked that a start refuses.)
    const created = await create('elsewhere')
    await isOf(created, 'ACTIVE')
    expect((await server(created))!.host).toBe('two')
    expect((await admin.compute('DELETE', `/servers/${deleted}`)).status).toBe(204)
    for (const directory of [await directoryOf('one'), `${await directoryOf('one')}-twin`])
      for (const id of [deleted, kept])
        expect((await readdir(join(directory, 'guests'))).filter((folder) => folder.startsWith(id))).toHaveLength(1)
    expect(await server(deleted)).toBeDefined()
    await cloud.kill(twin)
    expect(await act('one', 'release')).toBe(200)
    await becomes('one', 'up')
    await isGone(deleted)
    expect(await foldersOf('one', deleted)).toEqual([])
    await isOf(kept, 'ACTIVE')
    const stop = async () => (await admin.compute('POST', `/servers/${kept}/action`, { 'os-stop': null })).status === 202
    await until('a stop is taken', stop)
    await isOf(kept, 'SHUTOFF')
    await admin.compute('DELETE', `/servers/${kept}`)
    await isGone(kept)
    expect(await foldersOf('one', kept)).toEqual([])
  },
  5 * minutes,
)
