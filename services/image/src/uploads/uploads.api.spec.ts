import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImageWorld, RunningService, type Answer, type Client } from '../test/image-service.js'
import { qcow2File } from '../test/qcow2-sample.js'
import { WholeFile } from '../store/image-store.js'
import { RawUpload } from '../test/raw-upload.js'
import { soon } from '../test/wait.js'

const limitBytes = 4 << 20

let world: ImageWorld
let service: RunningService
let alice: Client
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nubo-uploads-'))
  world = await ImageWorld.make()
  service = await RunningService.start(world, { imageBytes: limitBytes })
  alice = await service.client('alice')
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
  rmSync(folder, { recursive: true })
})
afterEach(async () => {
  for (const image of (await alice.get('/v2/images')).body.images) await alice.delete(`/v2/images/${image.id}`)
  expect(world.files()).toEqual([])
  expect(await service.db.query('SELECT * FROM image_files')).toEqual([])
})

const hex = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex')
const statusOf = async (id: string): Promise<string> => (await alice.get(`/v2/images/${id}`)).body.status
const putOther = (id: string, contentType: string, body: Uint8Array<ArrayBuffer>) =>
  alice.request('PUT', `/v2/images/${id}/file`, { headers: { 'content-type': contentType }, body })

/** Nothing of a failed upload is left, and the image takes another. */
async function expectQueuedAndEmpty(id: string): Promise<void> {
  await soon('the image is queued again', async () => (await statusOf(id)) === 'queued')
  await soon('no bytes are left', () => world.files().length === 0)
  const { body } = await alice.get(`/v2/images/${id}`)
  expect(body).toMatchObject({ size: null, virtual_size: null, checksum: null, os_hash_value: null })
  expect((await alice.upload(id, body.disk_format === 'raw' ? Buffer.from('good') : qcow2())).status).toBe(204)
}

/** A small image as QEMU makes it. */
function qcow2(): Buffer<ArrayBuffer> {
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(folder, 'disk.qcow2'), '3G'])
  return Buffer.from(readFileSync(join(folder, 'disk.qcow2')))
}

describe('an upload', () => {
  it('makes a raw image active, with its size and digests', async () => {
    const bytes = randomBytes(200_001)
    const { id } = await alice.create()
    const answer = await alice.upload(id, bytes)
    expect([answer.status, answer.bytes.length]).toEqual([204, 0])
    expect((await alice.get(`/v2/images/${id}`)).body).toMatchObject({
      status: 'active',
      size: 200_001,
      virtual_size: 200_001,
      checksum: hex('md5', bytes),
      os_hash_algo: 'sha512',
      os_hash_value: hex('sha512', bytes),
    })
    expect(world.files()).toHaveLength(1)
  })

  it('makes a qcow2 image active, with the size of its disk', async () => {
    const bytes = qcow2()
    expect(await alice.createWhole(bytes, { disk_format: 'qcow2' })).toMatchObject({
      size: bytes.length,
      virtual_size: 3 * 2 ** 30,
    })
  })

  it('may be of nothing', async () => {
    expect(await alice.createWhole(Buffer.alloc(0))).toMatchObject({
      status: 'active',
      size: 0,
      checksum: hex('md5', Buffer.alloc(0)),
    })
  })

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'as %s is a 415',
    async (type) => {
      const { id } = await alice.create()
      expect((await putOther(id, type, Buffer.from('{}'))).status).toBe(415)
      expect((await putOther(id, type, Buffer.from('{'))).status).toBe(415)
      expect((await putOther(id, type, Buffer.alloc(2 << 20))).status).toBe(415)
      expect(await statusOf(id)).toBe('queued')
    },
  )

  it('waits for the formats to be set', async () => {
    const { id } = await alice.create({ disk_format: null, container_format: null })
    const answer = await alice.upload(id, Buffer.from('x'))
    expect(answer.status).toBe(400)
    expect(answer.body.message).toContain('Properties disk_format, container_format must be set prior to saving data.')
    await alice.patch(id, [
      { op: 'replace', path: '/disk_format', value: 'raw' },
      { op: 'replace', path: '/container_format', value: 'bare' },
    ])
    expect((await alice.upload(id, Buffer.from('x'))).status).toBe(204)
    const late = await alice.patch(id, [{ op: 'replace', path: '/disk_format', value: 'qcow2' }])
    expect(late.status).toBe(403)
  })

  it('is taken once', async () => {
    const { id } = await alice.createWhole(Buffer.from('first'))
    const answer = await alice.upload(id, Buffer.from('second'))
    expect(answer.status).toBe(409)
    expect(answer.body.message).toContain('Image status transition from active to saving is not allowed')
    expect((await alice.get(`/v2/images/${id}/file`)).bytes.toString()).toBe('first')
  })

  it('is taken from one of many at once', async () => {
    const { id } = await alice.create()
    const contents = Array.from({ length: 12 }, () => randomBytes(300_000))
    const answers = await Promise.all(contents.map((bytes) => alice.upload(id, bytes)))
    const winners = contents.filter((_, index) => answers[index]!.status === 204)
    expect(winners).toHaveLength(1)
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(11)
    expect((await alice.get(`/v2/images/${id}`)).body.checksum).toBe(hex('md5', winners[0]!))
    expect((await alice.get(`/v2/images/${id}/file`)).bytes.equals(winners[0]!)).toBe(true)
  })
})

describe('what is not an image of its format', () => {
  it.each([
    ['a qcow2 with a backing file', 'qcow2', qcow2File({ backingFileOffset: 512n }), 'backing file'],
    ['a qcow2 with a data file', 'qcow2', qcow2File({ incompatibleFeatures: 4n }), 'another file'],
    ['a qcow2 of an absurd size', 'qcow2', qcow2File({ virtualBytes: 1n << 60n }), 'more than'],
    ['a qcow2 that only looks sound', 'qcow2', qcow2File(), 'QEMU finds'],
    ['a raw disk as qcow2', 'qcow2', Buffer.alloc(1000), 'not a qcow2 image'],
    ['a qcow2 as raw', 'raw', qcow2File(), 'is a qcow2 image'],
    ['a VMDK descriptor as raw', 'raw', Buffer.from('# Disk DescriptorFile\nversion=1\n'), 'is a VMDK image'],
  ])('%s, is refused and leaves nothing', async (_, format, bytes, message) => {
    const { id } = await alice.create({ disk_format: format })
    const answer = await alice.upload(id, Buffer.from(bytes))
    expect(answer.status).toBe(415)
    expect(answer.body.message).toContain(message)
    await expectQueuedAndEmpty(id)
  })
})

describe('an upload that is too large', () => {
  it('is refused by what it says', async () => {
    const { id } = await alice.create()
    const answer = await alice.upload(id, Buffer.alloc(limitBytes + 1))
    expect(answer.status).toBe(413)
    await expectQueuedAndEmpty(id)
  })

  it('is refused by what it sends', async () => {
    const { id } = await alice.create()
    const upload = await RawUpload.begin(service.url, `/v2/images/${id}/file`, alice.token!, undefined)
    for (let sent = 0; sent <= limitBytes; sent += 65_536) upload.sendChunk(Buffer.alloc(65_536))
    await soon('an answer', () => upload.status !== undefined)
    expect(upload.status).toBe(413)
    upload.cut()
    await expectQueuedAndEmpty(id)
  })

  it('takes what is just as large', async () => {
    expect(await alice.createWhole(Buffer.alloc(limitBytes))).toMatchObject({ status: 'active', size: limitBytes })
  })
})

describe('uploads of one project at once', () => {
  it('are so many and no more, whatever others do', async () => {
    const few = await RunningService.start(world, { uploads: 2 })
    try {
      const [own, bob] = await Promise.all([few.client('alice'), few.client('bob')])
      const begin = async () => {
        const { id } = await own.create()
        const upload = await RawUpload.begin(few.url, `/v2/images/${id}/file`, own.token!, 1_000_000)
        await soon('the image is saving', async () => (await statusOf(id)) === 'saving')
        return upload
      }
      const begun = [await begin(), await begin()]
      const { id } = await own.create()
      const refused = await own.upload(id, Buffer.from('x'))
      expect([refused.status, refused.body.message]).toEqual([413, expect.stringContaining('2 uploads under way')])
      const { id: other } = await bob.createWhole(Buffer.from('x'))
      await bob.delete(`/v2/images/${other}`)
      begun[0]!.cut()
      await soon('one has ended', async () => (await own.upload(id, Buffer.from('x'))).status === 204)
      begun[1]!.cut()
      await soon('all have ended', () => world.files().length === 1)
    } finally {
      await few.stop()
    }
  })
})

describe('an upload for which there is no room', () => {
  it('is refused, and leaves nothing', async () => {
    const tight = await RunningService.start(world, { reservedDiskBytes: Number.MAX_SAFE_INTEGER })
    try {
      const own = await tight.client('alice')
      const { id } = await own.create()
      const answer = await own.upload(id, Buffer.from('x'))
      expect([answer.status, answer.body.message]).toEqual([413, expect.stringContaining('storage media is full')])
      await expectQueuedAndEmpty(id)
    } finally {
      await tight.stop()
    }
  })
})

describe('an upload that is cut off half-way', () => {
  it.each([
    ['with a length, by a reset', 1_000_000, (upload: RawUpload) => upload.cut()],
    ['with a length, by a close', 1_000_000, (upload: RawUpload) => upload.close()],
    ['in chunks, by a reset', undefined, (upload: RawUpload) => upload.cut()],
    ['in chunks, by a close', undefined, (upload: RawUpload) => upload.close()],
  ])('%s, leaves a queued image and no bytes', async (_, declaredBytes, end) => {
    const { id } = await alice.create()
    const upload = await RawUpload.begin(service.url, `/v2/images/${id}/file`, alice.token!, declaredBytes)
    const half = Buffer.alloc(500_000, 'x')
    if (declaredBytes === undefined) upload.sendChunk(half)
    else upload.send(half)
    await soon('the image is saving', async () => (await statusOf(id)) === 'saving')
    await soon('bytes are there', () => world.files().length === 1)
    end(upload)
    await expectQueuedAndEmpty(id)
  })

  it('does so within a chunk too', async () => {
    const { id } = await alice.create()
    const upload = await RawUpload.begin(service.url, `/v2/images/${id}/file`, alice.token!, undefined)
    upload.send(Buffer.from('ffff\r\nonly a few bytes'))
    await soon('the image is saving', async () => (await statusOf(id)) === 'saving')
    upload.cut()
    await expectQueuedAndEmpty(id)
  })
})

describe('a deletion', () => {
  it('during an upload ends it with 410, and leaves nothing', async () => {
    const { id } = await alice.create()
    const upload = await RawUpload.begin(service.url, `/v2/images/${id}/file`, alice.token!, 1_000_000)
    upload.send(Buffer.alloc(500_000))
    await soon('the image is saving', async () => (await statusOf(id)) === 'saving')
    expect((await alice.delete(`/v2/images/${id}`)).status).toBe(204)
    upload.send(Buffer.alloc(500_000))
    await soon('an answer', () => upload.status !== undefined)
    expect(upload.status).toBe(410)
    upload.cut()
    await soon('no bytes are left', () => world.files().length === 0)
  })

  it('during a download lets it end', async () => {
    const bytes = randomBytes(limitBytes)
    const { id } = await alice.createWhole(bytes)
    const response = await fetch(`${service.url}/v2/images/${id}/file`, { headers: { 'x-auth-token': alice.token! } })
    const reader = response.body!.getReader()
    const chunks = [(await reader.read()).value!]
    expect((await alice.delete(`/v2/images/${id}`)).status).toBe(204)
    expect(world.files()).toEqual([])
    for (let part = await reader.read(); !part.done; part = await reader.read()) chunks.push(part.value)
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    expect((await alice.get(`/v2/images/${id}/file`)).status).toBe(404)
  })
})

describe('a download', () => {
  const part = (answer: Answer) => [answer.status, answer.headers.get('content-range'), answer.bytes.toString()]

  it('gives the bytes, with what they are checked by', async () => {
    const bytes = randomBytes(700_000)
    const { id, checksum } = await alice.createWhole(bytes)
    const answer = await alice.get(`/v2/images/${id}/file`)
    expect(answer.status).toBe(200)
    expect(answer.bytes.equals(bytes)).toBe(true)
    const headers = ['content-type', 'content-length', 'content-md5', 'etag', 'accept-ranges'].map((name) =>
      answer.headers.get(name),
    )
    expect(headers).toEqual(['application/octet-stream', '700000', checksum, `"${checksum}"`, 'bytes'])
  })

  it('gives a part, and goes on where another was broken off unless the bytes are others', async () => {
    const { id, checksum } = await alice.createWhole(Buffer.from('0123456789'))
    const path = `/v2/images/${id}/file`
    expect(part(await alice.get(path, { range: 'bytes=2-4' }))).toEqual([206, 'bytes 2-4/10', '234'])
    expect(part(await alice.get(path, { range: 'bytes=7-' }))).toEqual([206, 'bytes 7-9/10', '789'])
    expect(part(await alice.get(path, { range: 'bytes=-2' }))).toEqual([206, 'bytes 8-9/10', '89'])
    expect(part(await alice.get(path, { range: 'bytes=7-', 'if-range': `"${checksum}"` }))).toEqual([206, 'bytes 7-9/10', '789'])
    expect(part(await alice.get(path, { range: 'bytes=7-', 'if-range': '"another"' }))).toEqual([200, null, '0123456789'])
    expect((await alice.get(path, { range: 'bytes=10-' })).status).toBe(416)
    expect((await alice.get(path, { range: 'bytes=0-1,4-5' })).status).toBe(400)
  })

  it('of an image without bytes is a 204, of an empty one a 200', async () => {
    const { id } = await alice.create()
    expect((await alice.get(`/v2/images/${id}/file`)).status).toBe(204)
    const empty = await alice.createWhole(Buffer.alloc(0))
    const answer = await alice.get(`/v2/images/${empty.id}/file`)
    expect([answer.status, answer.bytes.length]).toEqual([200, 0])
  })

  it('of which only the headers are asked for reads nothing', async () => {
    const { id } = await alice.createWhole(randomBytes(700_000))
    const reading = jest.spyOn(WholeFile.prototype, 'range')
    const answer = await alice.request('HEAD', `/v2/images/${id}/file`)
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '700000'])
    expect(reading).not.toHaveBeenCalled()
    reading.mockRestore()
  })

  it('is for members, and of a deactivated image for admins alone', async () => {
    const { id } = await alice.createWhole(Buffer.from('x'))
    const [reader, admin] = await Promise.all([
      service.client('alice', ['reader']),
      service.client('ops', ['admin', 'member', 'reader']),
    ])
    expect((await reader.get(`/v2/images/${id}/file`)).status).toBe(403)
    expect((await alice.post(`/v2/images/${id}/actions/deactivate`)).status).toBe(204)
    expect(await statusOf(id)).toBe('deactivated')
    expect((await alice.get(`/v2/images/${id}/file`)).status).toBe(403)
    expect((await admin.get(`/v2/images/${id}/file`)).status).toBe(200)
    expect((await alice.post(`/v2/images/${id}/actions/reactivate`)).status).toBe(204)
    expect((await alice.get(`/v2/images/${id}/file`)).status).toBe(200)
    const queued = await alice.create()
    expect((await alice.post(`/v2/images/${queued.id}/actions/deactivate`)).status).toBe(403)
  })
})

describe('a host', () => {
  const fetchAs = (id: string, authorization: string | undefined, headers: Record<string, string> = {}) =>
    service.anonymous().get(`/nubo/v1/images/${id}/file`, { ...(authorization !== undefined && { authorization }), ...headers })

  it('gets the bytes of the image it has a credential for, with their digest, and may go on half-way', async () => {
    const bytes = randomBytes(100_000)
    const { id, os_hash_value } = await alice.createWhole(bytes, { visibility: 'private' })
    const bearer = `Bearer ${await world.credential(id)}`
    const whole = await fetchAs(id, bearer)
    expect(whole.status).toBe(200)
    expect(whole.bytes.equals(bytes)).toBe(true)
    expect(whole.headers.get('x-nubo-sha512')).toBe(os_hash_value)
    expect(whole.headers.get('x-nubo-disk-format')).toBe('raw')
    const rest = await fetchAs(id, bearer, { range: 'bytes=60000-', 'if-range': whole.headers.get('etag')! })
    expect(rest.status).toBe(206)
    expect(rest.bytes.equals(bytes.subarray(60_000))).toBe(true)
    expect(rest.headers.get('x-nubo-sha512')).toBe(os_hash_value)
  })

  it('gets nothing else', async () => {
    const { id } = await alice.createWhole(Buffer.from('x'))
    const queued = await alice.create()
    const bearer = async (imageId: string, expiresInMs?: number) => `Bearer ${await world.credential(imageId, expiresInMs)}`
    const missing = '6b29fc40-ca47-4067-b31d-00dd010662da'
    const refusals = [
      [await fetchAs(id, undefined), 401],
      [await fetchAs(id, 'Bearer x'), 401],
      [await fetchAs(id, `Bearer ${alice.token}`), 401],
      [await fetchAs(id, `Basic ${await world.credential(id)}`), 401],
      [await fetchAs(id, await bearer(id, -1)), 401],
      [await fetchAs(id, await bearer(queued.id)), 403],
      [await fetchAs(queued.id, await bearer(queued.id)), 404],
      [await fetchAs(missing, await bearer(missing)), 404],
      [await fetchAs('x', await bearer(id)), 404],
    ] as const
    for (const [answer, status] of refusals) {
      expect(answer.status).toBe(status)
      expect(answer.body.error.code).toBe(status)
    }
    expect(refusals[0]![0].headers.get('www-authenticate')).toBe('Bearer')
    await alice.post(`/v2/images/${id}/actions/deactivate`)
    expect((await fetchAs(id, await bearer(id))).status).toBe(403)
  })
})
