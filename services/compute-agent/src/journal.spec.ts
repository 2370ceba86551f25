import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ServerCommand } from '@nubo/contract'
import { newId, systemRandom, type Id, type ServerId, type SessionId } from '@nubo/kernel'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { diskFiles } from './files.js'
import { Journal } from './journal.js'
import { memoryFiles } from './testing/memory-files.js'
import { VirtualClock } from './testing/virtual-clock.js'

describe('the journal', () => {
  let directory: string
  let clock: VirtualClock
  let broken: string[]

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nubo-journal-'))
    clock = new VirtualClock()
    broken = []
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const open = (bootId = 'first boot', files = diskFiles({ durable: true })) =>
    Journal.open({ files, directory, clock, bootId, onBroken: (path) => broken.push(path) })
  const serverId = newId<ServerId>(systemRandom)
  const command = (kind: string, fence: number, incarnation = 1) =>
    ({
      kind,
      serverId,
      fence,
      incarnation,
      stepId: newId<Id<'s'>>(systemRandom),
      operationId: newId<Id<'o'>>(systemRandom),
    }) as unknown as ServerCommand
  const result = {
    outcome: { state: 'done' as const, powerState: 1 as const },
    sessionId: newId<SessionId>(systemRandom),
    sequence: 7,
  }

  it('knows after its end what it knew before', async () => {
    const journal = await open()
    await journal.accept(command('build', 1))
    await journal.end(serverId, 1, result)
    const again = await open()
    expect(again.get(serverId)).toEqual(journal.get(serverId))
    expect(again.unacknowledged()).toEqual([serverId])
    await again.acknowledge(serverId, 1)
    expect((await open()).unacknowledged()).toEqual([])
    expect((await open()).get(serverId)!.result).toMatchObject(result)
  })

  it('does again what started a guest, if its host was started again before anyone heard of it', async () => {
    const journal = await open()
    await journal.accept(command('build', 1))
    await journal.end(serverId, 1, result)
    expect((await open('second boot')).unacknowledged()).toEqual([])
    expect((await open('second boot')).get(serverId)).toMatchObject({ fence: 1, kind: 'build' })
    await journal.acknowledge(serverId, 1)
    expect((await open('second boot')).get(serverId)!.result).toMatchObject(result)
    const stopped = { ...result, outcome: { state: 'done' as const, powerState: 4 as const } }
    await journal.accept(command('stop', 2))
    await journal.end(serverId, 2, stopped)
    expect((await open('second boot')).unacknowledged()).toEqual([serverId])
  })

  it('takes no end of a command that another one overtook, and no acknowledgement of it', async () => {
    const journal = await open()
    await journal.accept(command('build', 1))
    await journal.accept(command('destroy', 2))
    expect(await journal.end(serverId, 1, result)).toBe(false)
    await journal.end(serverId, 2, result)
    await journal.acknowledge(serverId, 1)
    expect(journal.unacknowledged()).toEqual([serverId])
  })

  it('keeps changes in their order, however close they come', async () => {
    const journal = await open()
    await Promise.all(Array.from({ length: 50 }, (_, index) => journal.accept(command('start', index + 1))))
    expect((await open()).get(serverId)!.fence).toBe(50)
    expect(await readdir(directory)).toEqual([`${serverId}.json`])
  })

  it('keeps a tombstone over later commands, and drops it long after its destruction was acknowledged', async () => {
    const journal = await open()
    await journal.accept(command('destroy', 1, 4))
    await journal.accept(command('destroy', 2, 3))
    expect(journal.tombstoneOf(serverId)).toBe(4)
    await journal.accept(command('build', 3, 5))
    expect((await open()).tombstoneOf(serverId)).toBe(4)
    await journal.accept(command('destroy', 4, 5))
    await journal.end(serverId, 4, result)
    await clock.pass(25 * 60 * 60_000, 60 * 60_000)
    await journal.forgetOldTombstones()
    expect(journal.tombstoneOf(serverId)).toBe(5)
    await journal.acknowledge(serverId, 4)
    await journal.forgetOldTombstones()
    expect(journal.get(serverId)).toBeUndefined()
    expect(await readdir(directory)).toEqual([])
  })

  it('keeps a command that comes while what was destroyed long ago is dropped', async () => {
    const dropping = Promise.withResolvers<void>()
    const files = memoryFiles()
    const slow = { ...files, remove: (path: string) => dropping.promise.then(() => files.remove(path)) }
    const journal = await open('first boot', slow)
    await journal.accept(command('destroy', 1))
    await journal.end(serverId, 1, result)
    await journal.acknowledge(serverId, 1)
    await clock.pass(25 * 60 * 60_000, 60 * 60_000)
    const dropped = journal.forgetOldTombstones()
    const accepted = journal.accept(command('build', 2, 2))
    // What takes no time is over by then, but what waits for the drop.
    await setImmediate()
    dropping.resolve()
    await Promise.all([dropped, accepted])
    expect((await open('first boot', files)).get(serverId)).toMatchObject({ fence: 2, kind: 'build' })
  })

  it('reads what was there before, or after, a write that the power cut, wherever it did', async () => {
    const journal = await open()
    await journal.accept(command('build', 1))
    const [name, before] = [`${serverId}.json`, await readFile(join(directory, `${serverId}.json`), 'utf8')]
    await journal.accept(command('stop', 2))
    const after = await readFile(join(directory, name), 'utf8')
    for (let length = 0; length <= after.length; length++) {
      await writeFile(join(directory, name), before)
      await writeFile(join(directory, `${name}.new`), after.slice(0, length))
      expect((await open()).get(serverId)!.fence).toBe(1)
      expect(await readdir(directory)).toEqual([name])
    }
    await writeFile(join(directory, name), after)
    expect((await open()).get(serverId)!.fence).toBe(2)
    expect(broken).toEqual([])
  })

  it('sets aside what it cannot read, and goes on', async () => {
    await writeFile(join(directory, `${serverId}.json`), '{"fence": 1')
    const journal = await open()
    expect(journal.get(serverId)).toBeUndefined()
    expect(broken).toEqual([`${directory}/${serverId}.json`])
    expect(await readFile(`${broken[0]!}.broken`, 'utf8')).toBe('{"fence": 1')
  })

  it('sets aside what the disk does not give back, and goes on', async () => {
    await mkdir(join(directory, `${serverId}.json`))
    const journal = await open()
    expect(broken).toEqual([`${directory}/${serverId}.json`])
    await journal.accept(command('build', 1))
    expect((await open()).get(serverId)).toMatchObject({ fence: 1 })
  })

  it('says that it takes no notes from a write that failed until one can be made again', async () => {
    let isFull = false
    const files = diskFiles({ durable: true })
    const full = async () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    const journal = await open('first boot', { ...files, write: (...of) => (isFull ? full() : files.write(...of)) })
    await journal.mustTakeNotes()
    isFull = true
    await expect(journal.accept(command('build', 1))).rejects.toThrow('no space left')
    await expect(journal.mustTakeNotes()).rejects.toMatchObject({ kind: 'Unavailable' })
    isFull = false
    await journal.mustTakeNotes()
    expect(await readdir(directory)).toEqual([])
  })
})
