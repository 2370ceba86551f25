import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'

const minutes = 60_000

interface Server {
  id: string
  status: string
  fault?: { message: string }
}

interface Hypervisor {
  name: string
  memory_mb: number
  memory_mb_used: number
}

let cloud: Cloud
let admin: CloudClient
let demo: CloudClient
let demoProject: string
let parts: { imageRef: string; flavorRef: string; networks: string }

// Memory for 20 and for 40 guests of 64 MiB.
const hosts = [
  { name: 'small', vcpus: 100, memoryMiB: 20 * 64, diskGiB: 1_000 },
  { name: 'large', vcpus: 100, memoryMiB: 40 * 64, diskGiB: 1_000 },
]

beforeAll(async () => {
  cloud = await Cloud.start({ hosts })
  admin = await cloud.admin()
  demo = await cloud.demo()
  const projects = await demo.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
  demoProject = projects.body.projects[0]!.id
  const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', {
    flavor: { name: 'tiny', vcpus: 1, ram: 64, disk: 1 },
  })
  parts = { imageRef, flavorRef: made.body.flavor.id, networks: 'none' }
}, 2 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

async function setQuota(instances: number): Promise<void> {
  const answer = await admin.compute('PUT', `/os-quota-sets/${demoProject}`, { quota_set: { instances, cores: -1, ram: -1 } })
  expect(answer.status).toBe(200)
}

async function servers(): Promise<Server[]> {
  return (await demo.compute<{ servers: Server[] }>('GET', '/servers/detail')).body.servers
}

const create = (name: string) =>
  demo.compute<{ server: { id: string }; forbidden?: { message: string } }>('POST', '/servers', { server: { name, ...parts } })

const createAtOnce = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => create(`race-${index}`)))

async function settled(): Promise<Server[]> {
  return await waitFor(
    'no server is in BUILD',
    async () => {
      const all = await servers()
      return all.every((server) => server.status !== 'BUILD') ? all : undefined
    },
    { timeoutMs: 2 * minutes, everyMs: 100 },
  )
}

async function removeAll(): Promise<void> {
  for (const { id } of await servers()) expect((await demo.compute('DELETE', `/servers/${id}`)).status).toBe(204)
  await waitFor('all servers are gone', async () => (await servers()).length === 0, { timeoutMs: 2 * minutes, everyMs: 100 })
}

it(
  '100 creates at once for room of 60: exactly 60 are ACTIVE, and no host is over its room',
  async () => {
    await setQuota(-1)
    const answers = await createAtOnce(100)
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 202))
    const all = await settled()
    const failed = all.filter((server) => server.status === 'ERROR')
    expect(all.filter((server) => server.status === 'ACTIVE')).toHaveLength(60)
    expect(failed).toHaveLength(40)
    for (const { fault } of failed)
      expect(fault!.message).toMatch(/^No valid host was found\. Of 2 hosts, 2 lacked memory \(needed 64 MiB/)
    const hypervisors = await admin.call<{ hypervisors: Hypervisor[] }>(
      'GET',
      `${cloud.apiUrl}/v2.1/os-hypervisors/detail`,
      undefined,
      {
        'OpenStack-API-Version': 'compute 2.87',
      },
    )
    for (const host of hypervisors.body.hypervisors) expect(host.memory_mb_used).toBe(host.memory_mb)
    await removeAll()
  },
  5 * minutes,
)

it(
  'a quota of 50 with 100 racing creates: exactly 50',
  async () => {
    await setQuota(50)
    const answers = await createAtOnce(100)
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(50)
    const refused = answers.filter(({ status }) => status !== 202)
    for (const { status, body } of refused) {
      expect(status).toBe(403)
      expect(body.forbidden!.message).toMatch(/^Quota exceeded for instances: Requested 1, but already used 50 of 50 instances$/)
    }
    expect((await settled()).filter((server) => server.status === 'ACTIVE')).toHaveLength(50)
    await removeAll()
    expect((await create('after')).status).toBe(202)
    await settled()
    await removeAll()
  },
  5 * minutes,
)

it(
  'twenty builds under way while their agents are killed and come back: all are ACTIVE',
  async () => {
    await setQuota(-1)
    const creating = createAtOnce(20)
    await Promise.all(hosts.map(({ name }) => cloud.kill(`agent-${name}`)))
    await creating
    await Promise.all(hosts.map(({ name }) => cloud.startService(`agent-${name}`)))
    const all = await settled()
    expect(all.map((server) => server.status)).toEqual(Array.from({ length: 20 }, () => 'ACTIVE'))
    await removeAll()
  },
  5 * minutes,
)
