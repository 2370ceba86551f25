import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { newId, systemRandom, type ServerId } from '@nubo/kernel'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFiles } from '../files.js'
import { GuestFiles, type GuestRecord } from './guest-files.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nubo-guests-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const serverId = newId<ServerId>(systemRandom)
const broken: string[] = []
const open = () => GuestFiles.open(diskFiles({ durable: true }), directory, (path) => broken.push(path))
const record = (incarnation: number): GuestRecord => ({
  ...{ serverId, incarnation, projectId: 'p', fencingEpoch: 1, name: '../../x', vcpus: 1, memoryMiB: 64 },
  imagePath: `/images/${incarnation}`,
  imageFormat: 'qcow2',
  nics: [],
})

it('knows after its end which guests are here, and which images they stand on', async () => {
  const before = await open()
  for (const incarnation of [1, 3, 2]) await before.save(record(incarnation))
  const guests = await open()
  expect(guests.find(serverId)).toEqual(record(3))
  expect([...guests.imagesInUse()].sort()).toEqual(['/images/1', '/images/2', '/images/3'])
  await guests.remove(serverId, 2)
  expect((await open()).all()).toEqual([record(3)])
  expect(await readdir(directory)).toEqual([`${serverId}-3`])
  expect((await stat(join(directory, `${serverId}-3`))).mode & 0o777).toBe(0o711)
})

const named = (incarnation: number) => `${serverId}-${incarnation}`

it('removes what was left half made or half removed, and nothing that a guest may have been started from', async () => {
  await (await open()).save(record(1))
  for (const name of [named(2), named(3), named(4), `${named(5)}.removed`]) await mkdir(join(directory, name))
  await writeFile(join(directory, named(2), 'guest.json.new'), '{')
  await writeFile(join(directory, named(3), 'disk.qcow2'), '')
  await writeFile(join(directory, named(4), 'guest.json'), '{')
  await writeFile(join(directory, `${named(5)}.removed`, 'disk.qcow2'), '')
  expect((await open()).all()).toEqual([record(1)])
  expect((await readdir(directory)).sort()).toEqual([1, 3, 4].map(named))
  expect(broken.splice(0).sort()).toEqual([3, 4].map((incarnation) => join(directory, named(incarnation))))
})

it('leaves what is not its own to a person, whatever it is, and knows its guests all the same', async () => {
  await (await open()).save(record(1))
  await mkdir(join(directory, 'backup'))
  await writeFile(join(directory, 'backup/yesterday.qcow2'), '')
  await writeFile(join(directory, 'README'), '')
  await mkdir(join(directory, named(2), 'guest.json'), { recursive: true })
  const guests = await open()
  expect(guests.all()).toEqual([record(1)])
  expect((await readdir(directory)).sort()).toEqual(['README', 'backup', named(1), named(2)].sort())
  expect(await readdir(join(directory, 'backup'))).toEqual(['yesterday.qcow2'])
  expect((await guests.strays()).sort()).toEqual(['README', 'backup', named(2)].sort())
  expect(broken.splice(0)).toHaveLength(3)
})

it('removes a guest at once: whoever is killed meanwhile leaves no disk without its record', async () => {
  const guests = await open()
  await guests.save(record(1))
  const [folder, count] = [join(directory, named(1)), 3_000]
  await Promise.all(Array.from({ length: count }, (_, index) => writeFile(join(folder, `part-${index}`), '')))
  let isGone = false
  const removed = guests.remove(serverId, 1).then(() => (isGone = true))
  while (!isGone) {
    const names = await readdir(folder).catch(() => [])
    expect([0, count + 1]).toContain(names.length)
  }
  await removed
  expect(await readdir(directory)).toEqual([])
})
