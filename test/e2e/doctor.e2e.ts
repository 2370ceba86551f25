import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { seededRandom, type Random } from '@nubo/kernel'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'
import { repository } from '../support/repository.js'

// A cloud in which everything comes and goes, and nothing is wrong: the doctor finds nothing, however often it looks.

const minutes = 60_000
const tenants = 6
const examinations = 8
/** Examinations go on until so much has been asked for. */
const busyEnough = 150

interface Examination {
  healthy: boolean
  findings: { code: string; message: string }[]
  tombstones: unknown[]
  hosts: { name: string; answered: boolean; guests: number }[]
}

let cloud: Cloud
let admin: CloudClient
let parts: { imageRef: string; flavorRef: string; networks: string }
let asked = 0

beforeAll(async () => {
  const size = { vcpus: 100, memoryMiB: 30 * 64, diskGiB: 1_000 }
  cloud = await Cloud.start({ hosts: ['one', 'two', 'three'].map((name) => ({ name, ...size })) })
  admin = await cloud.admin()
  const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const flavor = { name: 'tiny', vcpus: 1, ram: 64, disk: 1 }
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
  parts = { imageRef, flavorRef: made.body.flavor.id, networks: 'none' }
}, 2 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

async function examine(): Promise<Examination> {
  const answer = await admin.call<{ doctor: Examination }>('GET', `${cloud.apiUrl}/nubo/v1/doctor`)
  expect(answer.status).toBe(200)
  return answer.body.doctor
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await admin.compute<{ server?: { status: string } }>('GET', `/servers/${id}`)).body.server?.status
}

const settled = (id: string, among: readonly (string | undefined)[]) =>
  waitFor(`server ${id} is ${among.join(' or ')}`, async () => (among.includes(await statusOf(id)) ? true : undefined), {
    timeoutMs: 2 * minutes,
    everyMs: 50,
  })

async function act(id: string, action: Record<string, unknown>, until: string): Promise<void> {
  asked++
  expect((await admin.compute('POST', `/servers/${id}/action`, action)).status).toBe(202)
  await settled(id, [until])
}

/** One after another, without a pause: a server that is made, used and deleted, now and then while it is still being made. */
async function tenant(name: string, random: Random, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    asked += 2
    const made = await admin.compute<{ server: { id: string } }>('POST', '/servers', { server: { name, ...parts } })
    const { id } = made.body.server
    if (random.fraction() < 0.7) {
      await settled(id, ['ACTIVE'])
      await act(id, { 'os-stop': null }, 'SHUTOFF')
      await act(id, { 'os-start': null }, 'ACTIVE')
      if (random.fraction() < 0.5) await act(id, { reboot: { type: 'HARD' } }, 'ACTIVE')
    }
    expect((await admin.compute('DELETE', `/servers/${id}`)).status).toBe(204)
    await settled(id, [undefined])
  }
}

it(
  'finds nothing on a busy cloud, and nothing when all is gone',
  async () => {
    let over = false
    const load = Array.from({ length: tenants }, (_, index) => tenant(`tenant-${index}`, seededRandom(index), () => over))
    try {
      for (let looked = 0; looked < examinations || asked < busyEnough; looked++) {
        const { findings, hosts } = await examine()
        expect(findings).toEqual([])
        expect(hosts.every(({ answered }) => answered)).toBe(true)
      }
    } finally {
      over = true
      await Promise.all(load)
    }
    const { healthy, tombstones, hosts } = await examine()
    expect({ healthy, tombstones }).toEqual({ healthy: true, tombstones: [] })
    expect(hosts.map(({ guests }) => guests)).toEqual([0, 0, 0])
  },
  10 * minutes,
)

/** The command line, as an operator has it. */
async function nubo(...words: string[]): Promise<{ code: number; output: string }> {
  const env = {
    PATH: process.env['PATH']!,
    HOME: '/nonexistent',
    ...{ OS_AUTH_URL: `${cloud.apiUrl}/v3`, OS_USERNAME: 'admin', OS_PASSWORD: cloud.passwords.admin, OS_PROJECT_NAME: 'admin' },
  }
  const program = [join(repository, 'clients/cli/bin/nubo.js'), ...words]
  return await new Promise((resolve) =>
    execFile(process.execPath, program, { env, timeout: minutes }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    ),
  )
}

it(
  'says to an operator what is wrong, mends it, and then says that all is well',
  async () => {
    expect(await nubo('doctor')).toEqual({ code: 0, output: 'Every promise holds. 3 of 3 hosts answered, with 0 guests.\n' })
    const database = Database.connect({ ...cloud.databaseAddress, poolSize: 1 })
    await database.execute(`UPDATE hosts SET used_vcpus = 3 WHERE name = 'two'`)
    await database.close()
    const found = await nubo('doctor')
    expect(found.code).toBe(7)
    expect(found.output).toContain('Host two counts 3 vCPU')
    expect(await nubo('doctor', '--repair')).toMatchObject({ code: 0, output: expect.stringContaining('Mended: ') })
    expect((await nubo('doctor')).code).toBe(0)
    // What else the tenants did may have been cancelled by a deletion.
    const deletions = ['operation', 'list', '--kind', 'server.delete', '--limit', '5', '--json']
    const operations = JSON.parse((await nubo(...deletions)).output) as { state: string }[]
    expect(operations.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'done'])
  },
  5 * minutes,
)
