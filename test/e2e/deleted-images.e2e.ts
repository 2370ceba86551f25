import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { startLibvirtHost, testGuest } from '@nubo/hypervisor/testing'
import { createServer, deleteServer } from '../bench/servers.js'
import { prepare, type Stage } from '../bench/stage.js'
import { Cloud } from '../support/cloud.js'

// An image may be deleted whenever its owner likes, as in Glance. What is being built from it then ends as in Nova: ERROR, with
// a fault that says why, no other host tried, and nothing left.

jest.setTimeout(300_000)

const patience = { timeoutMs: 120_000, everyMs: 50 }
const stack = new AsyncDisposableStack()
let host: Awaited<ReturnType<typeof startLibvirtHost>>
let cloud: Cloud
let stage: Stage
let database: Database

beforeAll(async () => {
  host = stack.adopt(await startLibvirtHost(), (each) => each.close())
  const libvirt = { socketPath: host.libvirtd.socketPath, directory: host.directory, virtType: 'qemu' as const }
  const size = { vcpus: 64, memoryMiB: 65_536, diskGiB: 256 }
  cloud = stack.use(await Cloud.start({ hosts: [{ name: 'real', ...size, libvirt }] }))
  stage = await prepare(cloud, stack, tinyImage())
  database = stack.adopt(Database.connect({ ...cloud.databaseAddress, poolSize: 1 }), (each) => each.close())
}, 300_000)
afterAll(() => stack.disposeAsync())

function tinyImage(): Uint8Array {
  const image = new Uint8Array(1024 * 1024)
  image.set(testGuest)
  return image
}

interface Server {
  status: string
  fault?: { code: number; message: string }
}

const uploadImage = async () => await (await cloud.admin()).uploadImage('short-lived', 'raw', tinyImage())
const deleteImage = async (id: string) => (await (await cloud.admin()).image('DELETE', `/images/${id}`)).status
const show = async (id: string) => (await stage.demo.compute<{ server: Server }>('GET', `/servers/${id}`)).body.server
const ends = (id: string) => waitFor('the build ends', async () => (await stage.times.progress([id])).busy === 0, patience)
const roomInUse = async () =>
  (await database.query<{ used: number }>('SELECT sum(used_vcpus + used_memory_mib + used_disk_gib)::int AS used FROM hosts'))[0]!
    .used

async function nothingIsLeft(id: string, imageId: string): Promise<void> {
  await waitFor('its room is free', async () => (await roomInUse()) === 0, patience)
  expect(await host.domainNames()).toEqual([])
  expect(await readdir(`${host.directory}/guests`)).toEqual([])
  expect((await readdir(`${host.directory}/images`)).filter((name) => name.includes(imageId))).toEqual([])
  await deleteServer(stage.demo, id)
  await waitFor('the server is gone', async () => (await stage.times.progress([id])).gone === 1, patience)
}

it('deleted when the host has its command and not yet the image: ERROR that says so, and nothing is left', async () => {
  const imageRef = await uploadImage()
  process.kill(cloud.pidOf('agent-real'), 'SIGSTOP')
  const id = await createServer(stage.demo, 'commanded', { ...stage.parts, imageRef })
  try {
    const isPlaced = `SELECT FROM operation_steps s JOIN operations o ON o.id = s.operation_id WHERE o.server_id = $1 AND s.name = 'build'`
    await waitFor('it is placed', async () => (await database.query(isPlaced, [id])).length === 1, patience)
    expect(await deleteImage(imageRef)).toBe(204)
  } finally {
    process.kill(cloud.pidOf('agent-real'), 'SIGCONT')
  }
  await ends(id)
  const { status, fault } = await show(id)
  expect([status, fault?.message]).toEqual([
    'ERROR',
    `Image ${imageRef} could not be found: it was deleted before the server was built from it.`,
  ])
  await nothingIsLeft(id, imageRef)
})

it('deleted before the server is placed: the same', async () => {
  const imageRef = await uploadImage()
  await cloud.kill('scheduler')
  const id = await createServer(stage.demo, 'waiting', { ...stage.parts, imageRef })
  expect(await deleteImage(imageRef)).toBe(204)
  await cloud.startService('scheduler')
  await ends(id)
  const { status, fault } = await show(id)
  expect([status, fault?.message]).toEqual([
    'ERROR',
    'The image of this server could not be found: it was deleted or deactivated before the server was built from it.',
  ])
  await nothingIsLeft(id, imageRef)
})

it('deleted under a guest that runs: it goes on, and is stopped and started as ever', async () => {
  const imageRef = await uploadImage()
  const id = await createServer(stage.demo, 'running', { ...stage.parts, imageRef })
  await ends(id)
  expect(await deleteImage(imageRef)).toBe(204)
  for (const [action, status] of [
    ['os-stop', 'SHUTOFF'],
    ['os-start', 'ACTIVE'],
  ] as const) {
    expect((await stage.demo.compute('POST', `/servers/${id}/action`, { [action]: null })).status).toBe(202)
    await waitFor(`it is ${status}`, async () => (await show(id)).status === status, patience)
  }
  await deleteServer(stage.demo, id)
  await waitFor('the server is gone', async () => (await stage.times.progress([id])).gone === 1, patience)
})
