import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ImageSource } from '@nubo/contract'
import { newId, systemClock, systemRandom, type ImageId } from '@nubo/kernel'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../testing/eventually.js'
import { ImageCache } from './image-cache.js'
import { httpImageClient } from './image-client.js'

const never = new AbortController().signal
const bytes = systemRandom.bytes(300_000)

describe('the image cache', () => {
  let directory: string
  let server: Server
  let origin: string
  let freeBytes: number
  let requests: IncomingMessage[]
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  let troubles: string[]
  let inUse: Set<string>

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nubo-images-'))
    requests = []
    troubles = []
    inUse = new Set()
    freeBytes = 10_000_000
    answer = sendAll
    server = createServer((request, response) => {
      requests.push(request)
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(directory, { recursive: true, force: true })
  })

  const open = () =>
    ImageCache.open({
      directory,
      minimumFreeBytes: 0,
      client: httpImageClient,
      clock: systemClock,
      machine: {
        bootId: async () => '',
        uptimeSeconds: () => 0,
        freeBytes: async () => {
          const names = await readdir(directory)
          const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size))
          return freeBytes - sizes.reduce((sum, size) => sum + size, 0)
        },
      },
      inUse: () => inUse,
      onTrouble: (message) => troubles.push(message),
    })
  const image = (contents: Buffer = bytes): ImageSource => ({
    imageId: newId<ImageId>(systemRandom),
    diskFormat: 'raw',
    sizeBytes: contents.length,
    virtualBytes: contents.length,
    sha512: createHash('sha512').update(contents).digest('hex'),
    url: `${origin}/image`,
    credential: 'first',
  })
  const isThere = async (cache: ImageCache, source: ImageSource) => (await readFile(cache.pathOf(source))).equals(bytes)

  it('fetches an image once, however many ask for it at the same time and later', async () => {
    const cache = await open()
    const source = image()
    await Promise.all(Array.from({ length: 20 }, () => cache.fetch(source, never)))
    await cache.fetch(source, never)
    expect(requests).toHaveLength(1)
    expect(requests[0]!.headers).toMatchObject({ authorization: 'Bearer first', 'accept-encoding': 'identity' })
    expect(await isThere(cache, source)).toBe(true)
    expect((await stat(cache.pathOf(source))).mode & 0o777).toBe(0o644)
    expect(await readdir(directory)).toHaveLength(1)
  })

  it('goes on where it was interrupted', async () => {
    const cache = await open()
    const source = image()
    answer = (request, response) => {
      if (requests.length > 2) return sendAll(request, response)
      sendPart(request, response, 100_000)
    }
    await cache.fetch(source, never)
    const [first, ...later] = requests.map((request) => request.headers.range)
    expect(first).toBeUndefined()
    const begins = later.map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]))
    expect(begins).toEqual([expect.any(Number), expect.any(Number)])
    expect(begins[0]).toBeGreaterThan(0)
    expect(begins[1]).toBeGreaterThan(begins[0]!)
    expect(await isThere(cache, source)).toBe(true)
    expect(troubles).toHaveLength(2)
  })

  it('goes on after its own end, and holds all of it against the hash', async () => {
    const [before, after] = [await open(), await open()]
    const source = image()
    answer = (request, response) => sendPart(request, response, 120_000)
    const giveUp = new AbortController()
    const first = before.fetch(source, giveUp.signal)
    await eventually(() => troubles.length > 0)
    giveUp.abort(new Error('the agent ends'))
    await expect(first).rejects.toThrow('the agent ends')
    answer = sendAll
    requests.length = 0
    await after.fetch(source, never)
    expect(requests[0]!.headers.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(await isThere(after, source)).toBe(true)
  })

  it('begins again where the service knows no parts, or what it had is damaged', async () => {
    const cache = await open()
    const source = image()
    await writeFile(`${cache.pathOf(source)}.part`, Buffer.alloc(100_000))
    await cache.fetch(source, never)
    expect(requests.map((request) => request.headers.range)).toEqual(['bytes=100000-', undefined])
    expect(await isThere(cache, source)).toBe(true)
    const other = image()
    await writeFile(`${cache.pathOf(other)}.part`, bytes.subarray(0, 10))
    answer = (_, response) => response.end(bytes)
    await cache.fetch(other, never)
    expect(await isThere(cache, other)).toBe(true)
  })

  it.each([
    ['another image of the same size', () => Buffer.alloc(bytes.length)],
    ['a longer image', () => Buffer.concat([bytes, bytes])],
  ])('refuses %s, and keeps nothing of it', async (_, contents) => {
    const cache = await open()
    const source = image()
    answer = (_, response) => response.end(contents())
    await expect(cache.fetch(source, never)).rejects.toMatchObject({
      scope: 'host',
      message: expect.stringContaining('damaged 2 times'),
    })
    expect(requests).toHaveLength(2)
    expect(await stat(cache.pathOf(source)).catch(() => 'absent')).toBe('absent')
  })

  it.each([
    [403, 'deactivated'],
    [404, 'deleted'],
    [410, 'deleted'],
  ])('takes %d for an image that was %s on the way, and keeps nothing of it', async (status, why) => {
    const cache = await open()
    answer = (request, response) => {
      if (request.headers.range) return response.writeHead(status).end()
      response.writeHead(200, { 'Content-Length': bytes.length })
      response.write(bytes.subarray(0, 1000), () => response.destroy())
    }
    const message = expect.stringContaining(why)
    await expect(cache.fetch(image(), never)).rejects.toMatchObject({ scope: 'request', message })
    expect(requests).toHaveLength(2)
    expect(await cache.use()).toEqual({ images: 0, bytes: 0 })
  })

  it('tries again with the newest credential that it was given', async () => {
    const cache = await open()
    const source = image()
    answer = (request, response) => {
      if (request.headers.authorization === 'Bearer second') return sendAll(request, response)
      response.writeHead(401).end()
    }
    const first = cache.fetch(source, never)
    await eventually(() => requests.length > 0)
    await Promise.all([first, cache.fetch({ ...source, credential: 'second' }, never)])
    expect(await isThere(cache, source)).toBe(true)
  })

  it('goes on for whoever still waits, and ends when nobody does', async () => {
    const cache = await open()
    const source = image()
    let finish = () => {}
    answer = (_, response) => {
      response.write(bytes.subarray(0, 1000))
      finish = () => response.end(bytes.subarray(1000))
    }
    const [impatient, alsoImpatient] = [new AbortController(), new AbortController()]
    const waits = [cache.fetch(source, impatient.signal), cache.fetch(source, alsoImpatient.signal)]
    await eventually(() => requests.length === 1)
    impatient.abort(new Error('one left'))
    await expect(waits[0]).rejects.toThrow('one left')
    finish()
    await waits[1]
    expect(requests).toHaveLength(1)

    const other = image()
    const leaving = new AbortController()
    const left = cache.fetch(other, leaving.signal)
    await eventually(() => requests.length === 2)
    const ended = new Promise((resolve) => requests[1]!.on('close', resolve))
    leaving.abort(new Error('nobody is left'))
    await expect(left).rejects.toThrow('nobody is left')
    await ended
    answer = sendAll
    await cache.fetch(other, never)
    expect(await isThere(cache, other)).toBe(true)
  })

  it('drops what is longest unused when disk is short, and never what a guest stands on', async () => {
    const cache = await open()
    const [used, oldest, newer] = [image(), image(), image()]
    for (const source of [used, oldest, newer]) {
      await cache.fetch(source, never)
      await systemClock.sleep(10)
    }
    inUse.add(cache.pathOf(used))
    await cache.fetch(oldest, never)
    await systemClock.sleep(10)
    freeBytes = 3 * bytes.length + 10
    const arriving = image()
    await cache.fetch(arriving, never)
    const names = (await readdir(directory)).map((name) => join(directory, name)).sort()
    expect(names).toEqual([used, oldest, arriving].map((source) => cache.pathOf(source)).sort())
    inUse = new Set([used, oldest, arriving].map((source) => cache.pathOf(source)))
    await expect(cache.fetch(image(), never)).rejects.toMatchObject({
      scope: 'host',
      message: expect.stringContaining('no room'),
    })
    expect(await readdir(directory)).toHaveLength(3)
  })

  it('counts what is still to come of those on their way: two that have room each, and not both, do not fill the disk', async () => {
    const cache = await open()
    const [first, second, small] = [image(), image(), image(bytes.subarray(0, 1000))]
    freeBytes = bytes.length + 5000
    let finish = () => {}
    answer = (_, response) => {
      response.write(bytes.subarray(0, 1000))
      finish = () => response.end(bytes.subarray(1000))
    }
    const arriving = cache.fetch(first, never)
    await eventually(() => requests.length === 1)
    answer = sendAll
    await expect(cache.fetch(second, never)).rejects.toMatchObject({
      scope: 'host',
      message: expect.stringContaining('no room'),
    })
    answer = (_, response) => response.end(bytes.subarray(0, 1000))
    await cache.fetch(small, never)
    finish()
    await arriving
    expect(await isThere(cache, first)).toBe(true)
  })

  it('has an empty image without asking anybody for its bytes', async () => {
    const cache = await open()
    const empty = image(Buffer.alloc(0))
    await cache.fetch(empty, never)
    expect((await stat(cache.pathOf(empty))).size).toBe(0)
    expect(requests).toHaveLength(0)
  })
})

/** As the image service does. */
function sendAll(request: IncomingMessage, response: ServerResponse): void {
  sendPart(request, response, bytes.length)
}

/** Promises everything from where it was asked, and hangs up after so many bytes. */
function sendPart({ headers }: IncomingMessage, response: ServerResponse, length: number): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const range = { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
  response.writeHead(headers.range ? 206 : 200, { 'Content-Length': bytes.length - from, ...(headers.range && range) })
  response.write(bytes.subarray(from, from + length), () => (from + length < bytes.length ? response.destroy() : response.end()))
}
