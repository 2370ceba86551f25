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

it('removes what was left half made, and nothing that a guest may have been started from', async () => {
  await (await open()).save(record(1))
  for (const name of ['half', 'disk', 'torn']) await mkdir(join(directory, name))
  await writeFile(join(directory, 'disk/disk.qcow2'), '')
  await writeFile(join(directory, 'torn/guest.json'), '{')
  expect((await open()).all()).toEqual([record(1)])
  expect((await readdir(directory)).sort()).toEqual([`${serverId}-1`, 'disk', 'torn'].sort())
  expect(broken.sort()).toEqual([join(directory, 'disk'), join(directory, 'torn')])
})
