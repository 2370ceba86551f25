import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ImageProcess } from './image-process.js'
import { ImageWorld, type Client } from './image-service.js'
import { RawUpload } from './raw-upload.js'
import { soon } from './wait.js'

jest.setTimeout(120_000)

let world: ImageWorld
let service: ImageProcess | undefined

beforeAll(async () => {
  world = await ImageWorld.make()
})
afterEach(async () => {
  await service?.end('SIGKILL')
  service = undefined
})
afterAll(() => world?.stop())

const statusOf = async (client: Client, id: string): Promise<string> => (await client.get(`/v2/images/${id}`)).body.status

/** An upload of which half was sent and written. */
async function half(client: Client, id: string): Promise<RawUpload> {
  const before = world.files().length
  const upload = await RawUpload.begin(client.url, `/v2/images/${id}/file`, client.token!, 2_000_000)
  upload.send(Buffer.alloc(1_000_000, 'x'))
  await soon('bytes are written', async () => (await statusOf(client, id)) === 'saving' && world.files().length > before)
  return upload
}

it('killed in the middle of an upload, it has a queued image and no bytes as soon as it is back', async () => {
  service = await ImageProcess.start(world)
  let client = await service.client('alice')
  const kept = await client.createWhole(Buffer.from('kept'))
  const { id } = await client.create()
  await half(client, id)
  expect(world.files()).toHaveLength(2)
  await service.end('SIGKILL')
  expect(world.files()).toHaveLength(2)

  service = await ImageProcess.start(world)
  client = await service.client('alice')
  expect(await statusOf(client, id)).toBe('queued')
  expect(world.files()).toHaveLength(1)
  expect((await client.upload(id, Buffer.from('whole'))).status).toBe(204)
  expect((await client.get(`/v2/images/${id}/file`)).bytes.toString()).toBe('whole')
  expect((await client.get(`/v2/images/${kept.id}/file`)).bytes.toString()).toBe('kept')
})

it('told to stop, it ends uploads in order, and itself', async () => {
  service = await ImageProcess.start(world)
  const client = await service.client('alice')
  const { id } = await client.create()
  const before = world.files().length
  const upload = await half(client, id)
  expect(await service.end('SIGTERM')).toBe(0)
  await soon('the connection is closed', () => upload.isClosed)
  expect(world.files()).toHaveLength(before)
  service = await ImageProcess.start(world)
  expect(await statusOf(await service.client('alice'), id)).toBe('queued')
})

it('ends an upload that sends nothing for too long', async () => {
  service = await ImageProcess.start(world, { uploadIdleSeconds: 1 })
  const client = await service.client('alice')
  const { id } = await client.create()
  const before = world.files().length
  const upload = await half(client, id)
  await soon('the connection is closed', () => upload.isClosed)
  await soon('the image is queued', async () => (await statusOf(client, id)) === 'queued')
  expect(world.files()).toHaveLength(before)
})

describe('on a disk that is full', () => {
  it('answers 413, and has a queued image and no bytes', async () => {
    // A small file system of its own, gone with the process. Under root no user namespace: it would lose the database's socket.
    const alone = process.getuid!() === 0 ? [] : ['--user', '--map-root-user']
    mkdirSync(join(world.directory, 'images'), { recursive: true })
    const script = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'
    const prefix = ['unshare', ...alone, '--mount', 'sh', '-c', script, join(world.directory, 'images')]
    service = await ImageProcess.start(world, { reservedDiskBytes: 0 }, prefix)
    const client = await service.client('alice')
    const { id } = await client.create()
    const answer = await client.upload(id, Buffer.alloc(20 << 20))
    expect(answer.status).toBe(413)
    expect(answer.body.message).toContain('Image storage media is full')
    expect(await statusOf(client, id)).toBe('queued')
    // All of the room is there again.
    expect((await client.upload(id, Buffer.alloc(7 << 20))).status).toBe(204)
  })
})

it('takes in a long upload in little memory, and answers others meanwhile', async () => {
  service = await ImageProcess.start(world)
  const client = await service.client('alice')
  const { id } = await client.create()
  const before = service.anonymousMib
  const watching = new AbortController()
  const answered = countAnswers(service.url, watching.signal)
  const mib = 300
  expect(await uploadZeros(client, id, mib)).toBe(204)
  const grownMib = service.anonymousMib - before
  watching.abort()
  expect((await client.get(`/v2/images/${id}`)).body).toMatchObject({ status: 'active', size: mib << 20 })
  expect(grownMib).toBeLessThan(150)
  expect(await answered).toBeGreaterThan(10)
  await client.delete(`/v2/images/${id}`)
})

/** How often the service answers the simplest request, asked again and again until the signal. */
async function countAnswers(url: string, signal: AbortSignal): Promise<number> {
  let answers = 0
  while (!signal.aborted) {
    await (await fetch(`${url}/healthz`)).arrayBuffer()
    answers++
    await pause(20)
  }
  return answers
}

function uploadZeros(client: Client, id: string, mib: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-auth-token': client.token!, 'content-type': 'application/octet-stream' }
    const upload = request(`${client.url}/v2/images/${id}/file`, { method: 'PUT', headers })
    upload.on('error', reject)
    upload.on('response', (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    const chunk = Buffer.alloc(1 << 20)
    let sent = 0
    const more = () => {
      while (sent < mib) {
        sent++
        if (!upload.write(chunk)) return upload.once('drain', more)
      }
      return upload.end()
    }
    more()
  })
}
