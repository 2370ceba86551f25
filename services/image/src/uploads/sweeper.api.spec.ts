import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { claimUpload, lockImage, removedFiles, type ImageFileId } from '@nubo/database'
import { newId, systemClock, systemRandom, type ImageId } from '@nubo/kernel'
import { createLogger } from '@nubo/service-kit'
import { ImageStore } from '../store/image-store.js'
import { processIdentity } from '../store/process-identity.js'
import { ImageWorld, RunningService, type Client } from '../test/image-service.js'
import { Sweeper } from './sweeper.js'

let world: ImageWorld
let service: RunningService
let alice: Client
let sweeper: Sweeper
let store: ImageStore

beforeAll(async () => {
  world = await ImageWorld.make()
  service = await RunningService.start(world)
  alice = await service.client('alice')
  store = await ImageStore.open(join(world.directory, 'images'), 0)
  sweeper = new Sweeper(service.db, store, systemClock, createLogger('image', 'fatal'))
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
})
beforeEach(async () => {
  await service.db.execute('DELETE FROM images')
  await service.db.execute('DELETE FROM image_files')
})
afterEach(async () => {
  for (const file of world.files()) await store.remove(file as ImageFileId)
})

const statusOf = async (id: string): Promise<string> => (await alice.get(`/v2/images/${id}`)).body.status

/** An image that `writer` is uploading, with some bytes of it. */
async function uploadBy(writer: string, leaseSeconds: number): Promise<{ id: ImageId; fileId: ImageFileId }> {
  const { id } = (await alice.create()) as { id: ImageId }
  const fileId = newId<ImageFileId>(systemRandom)
  await service.db.transaction(async (tx) => {
    const image = await lockImage(tx, id, { projectId: undefined, admin: true })
    await claimUpload(tx, image!, { fileId, writer, leaseSeconds, mostUnderWay: 10 })
  })
  await (await store.create(fileId)).write(Buffer.from('half'))
  return { id, fileId }
}

async function deadProcess(): Promise<string> {
  const child = spawn('sleep', ['60'])
  const identity = processIdentity(child.pid)!
  child.kill('SIGKILL')
  await once(child, 'exit')
  return identity
}

it('returns an upload whose process is dead to the queue at once, with its bytes', async () => {
  const { id } = await uploadBy(await deadProcess(), 3600)
  await sweeper.sweep()
  expect([await statusOf(id), world.files(), await removedFiles(service.db)]).toEqual(['queued', [], []])
})

it('leaves an upload alone whose process lives, or may live', async () => {
  const mine = await uploadBy(processIdentity()!, 3600)
  const elsewhere = await uploadBy('another-boot:pid:[1]:7:7', 3600)
  await sweeper.sweep()
  expect([await statusOf(mine.id), await statusOf(elsewhere.id)]).toEqual(['saving', 'saving'])
  expect(world.files().toSorted()).toEqual([mine.fileId, elsewhere.fileId].toSorted())
})

it('returns an upload of which nothing is heard any more', async () => {
  const { id } = await uploadBy('another-boot:pid:[1]:7:7', -1)
  await sweeper.sweep()
  expect([await statusOf(id), world.files()]).toEqual(['queued', []])
})

it('finds bytes that were whole on disk when the process died before it could say so', async () => {
  const { id, fileId } = await uploadBy(await deadProcess(), 3600)
  await store.remove(fileId)
  const file = await store.create(fileId)
  await file.flush()
  await file.keep()
  await sweeper.sweep()
  expect([await statusOf(id), world.files()]).toEqual(['queued', []])
})

it('removes what is left of deleted images', async () => {
  const { id, fileId } = await uploadBy(processIdentity()!, 3600)
  await service.db.execute('DELETE FROM images WHERE id = $1', [id])
  await service.db.execute(`UPDATE image_files SET state = 'removed'`)
  await sweeper.sweep()
  expect(world.files()).toEqual([])
  expect(await service.db.query('SELECT * FROM image_files WHERE id = $1', [fileId])).toEqual([])
})

it('touches no file that no record names, and none of an active image', async () => {
  await alice.createWhole(Buffer.from('bytes'))
  writeFileSync(join(world.directory, 'images', 'whole', 'stranger'), 'x')
  const before = world.files()
  await sweeper.sweep()
  expect(world.files()).toEqual(before)
  expect(before).toHaveLength(2)
})
