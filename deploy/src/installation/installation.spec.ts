import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  followMove,
  giveRedisUsers,
  loadInstallation,
  makeInstallation,
  saveInstallation,
  shareOutAgain,
} from './installation.js'
import { DataFolder } from './place.js'

const machine = { memoryMiB: 8192, cpus: 4, diskGiB: 40 }
let clone: string
let folder: DataFolder
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'nubo-clone-'))
  folder = new DataFolder(join(clone, '.nubo'))
})
afterEach(() => rmSync(clone, { recursive: true, force: true }))

describe('an installation', () => {
  it('is kept for its owner alone, and comes back as it was', async () => {
    const installation = await makeInstallation(machine, clone)
    saveInstallation(installation, folder)
    expect(loadInstallation(folder)).toEqual(installation)
    expect(statSync(folder.installation).mode & 0o777).toBe(0o600)
  })

  it('shares no name, port block, host or password with another', async () => {
    const [one, other] = [await makeInstallation(machine, clone), await makeInstallation(machine, clone)]
    expect(one.id).not.toBe(other.id)
    const secrets = [one, other].flatMap((each) => [
      ...Object.values(each.passwords),
      ...Object.values(each.redisPasswords),
      ...each.hosts.flatMap((host) => [host.id, host.redisPassword]),
    ])
    expect(new Set(secrets).size).toBe(secrets.length)
  })

  it('gets users of Redis where it was made before they were, once', async () => {
    const { redisPasswords: _, ...before } = await makeInstallation(machine, clone)
    const installation = before as Parameters<typeof giveRedisUsers>[0]
    expect(giveRedisUsers(installation)).toBe(true)
    const given = { ...installation.redisPasswords }
    expect(Object.keys(given)).toEqual(['api', 'scheduler', 'conductor', 'operator'])
    expect(giveRedisUsers(installation)).toBe(false)
    expect(installation.redisPasswords).toEqual(given)
  })

  it('goes on where its clone was moved to, and refuses to live twice', async () => {
    const installation = await makeInstallation(machine, clone)
    saveInstallation(installation, folder)
    expect(followMove(installation, clone)).toBe(false)
    expect(() => followMove(installation, '/elsewhere')).toThrow(/is a copy/)
    rmSync(clone, { recursive: true })
    expect(followMove(installation, '/elsewhere')).toBe(true)
    expect(installation.clone).toBe('/elsewhere')
  })

  it('is shared out again only on another machine, whatever is free on the disk', async () => {
    const installation = await makeInstallation(machine, clone)
    const { share } = installation
    expect(shareOutAgain(installation, { ...machine, diskGiB: 3 })).toBe(false)
    expect(shareOutAgain(installation, { ...machine, memoryMiB: 16_384 })).toBe(true)
    expect(installation.share.memoryMiB).toBeGreaterThan(share.memoryMiB)
    expect(installation.share.diskGiB).toBe(share.diskGiB)
  })
})
