import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageFileId } from '@nubo/database'
import { newId, systemRandom } from '@nubo/kernel'
import { ImageStore } from './image-store.js'

let directory: string
let store: ImageStore
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nubo-store-'))
  store = await ImageStore.open(join(directory, 'images'), 0)
})
afterEach(() => rmSync(directory, { recursive: true }))

const newFile = () => newId<ImageFileId>(systemRandom)

async function keep(content: string): Promise<ImageFileId> {
  const id = newFile()
  const file = await store.create(id)
  await file.write(Buffer.from(content))
  await file.flush()
  await file.keep()
  return id
}

async function read(id: ImageFileId, start: number, end: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of (await store.read(id)).range(start, end)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

it('leaves to others what is kept for them, be it asked for at once or little by little', async () => {
  let free = 100 << 20
  const tight = await ImageStore.open(join(directory, 'images'), 10 << 20, async () => free)
  await expect(tight.create(newFile(), 91 << 20)).rejects.toMatchObject({ code: 'ENOSPC' })
  const file = await tight.create(newFile(), 90 << 20)
  const chunk = Buffer.alloc(8 << 20)
  await file.write(chunk)
  free = 9 << 20
  await expect(file.write(chunk)).rejects.toMatchObject({ code: 'ENOSPC' })
  await file.discard()
  expect(await tight.list()).toEqual({ incoming: [], whole: [] })
})

it('gives back what it was given, whole and in parts', async () => {
  const id = await keep('some bytes')
  const opened = await store.read(id)
  expect(await opened.sizeBytes()).toBe(10)
  await opened.close()
  expect(await read(id, 0, 10)).toBe('some bytes')
  expect(await read(id, 5, 7)).toBe('by')
  expect(await store.list()).toEqual({ incoming: [], whole: [id] })
})

it('shows nothing of a file that is not kept, and leaves nothing of one that is discarded', async () => {
  const id = newFile()
  const file = await store.create(id)
  await file.write(Buffer.from('half'))
  await expect(store.read(id)).rejects.toMatchObject({ code: 'ENOENT' })
  await file.discard()
  expect(await store.list()).toEqual({ incoming: [], whole: [] })
})

it('lets a file be read to its end although it is removed meanwhile', async () => {
  const id = await keep('some bytes')
  const opened = await store.read(id)
  await store.remove(id)
  expect(await store.list()).toEqual({ incoming: [], whole: [] })
  const chunks: Buffer[] = []
  for await (const chunk of opened.range(0, 10)) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).toString()).toBe('some bytes')
})

it('removes what is not there without a word', async () => {
  await expect(store.remove(newFile())).resolves.toBeUndefined()
})

it('keeps others of the machine out', async () => {
  const id = await keep('x')
  expect(statSync(join(directory, 'images', 'whole')).mode & 0o077).toBe(0)
  expect(statSync(join(directory, 'images', 'whole', id)).mode & 0o077).toBe(0)
})
