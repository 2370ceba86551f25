import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemProcesses } from '../processes.js'
import { createConfigDrive } from './config-drive.js'
import { createOverlay } from './overlay.js'

const run = async (program: string, ...args: string[]) =>
  (await promisify(execFile)(program, args, { encoding: 'buffer' })).stdout

describe('disks', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nubo-disks-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('overlays name the format of what they stand on, have the size asked for, and are private', async () => {
    const base = join(directory, 'base')
    // A raw image whose guest wrote a qcow2 header into it: probed, it would name any file of the host.
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', '/etc/passwd', base, '1M')
    const path = join(directory, 'overlay.qcow2')
    await createOverlay(systemProcesses, { path, backing: { path: base, format: 'raw' }, sizeBytes: 3 * 1024 ** 3 })
    const about = JSON.parse((await run('qemu-img', 'info', '-f', 'qcow2', '--output=json', path)).toString())
    expect(about).toMatchObject({
      format: 'qcow2',
      'virtual-size': 3 * 1024 ** 3,
      'backing-filename': base,
      'backing-filename-format': 'raw',
    })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(path)).blocks * 512).toBeLessThan(1024 ** 2)
  })

  it('overlays that cannot be made say why', async () => {
    const backing = { path: join(directory, 'absent'), format: 'qcow2' as const }
    await expect(createOverlay(systemProcesses, { path: join(directory, 'x'), backing, sizeBytes: 1 })).rejects.toMatchObject({
      kind: 'Unavailable',
      message: expect.stringContaining('absent'),
    })
  })

  it("config drives have OpenStack's label and layout, are private, and leave nothing lying about", async () => {
    const path = join(directory, 'config.iso')
    const staging = join(directory, 'staging')
    await run('mkdir', staging)
    const contents = {
      metaData: { uuid: 'u-1', hostname: 'wéb-1', public_keys: { mine: 'ssh-ed25519 AAAA' }, meta: { role: 'wé' } },
      networkData: { links: [{ id: 'tap1' }], networks: [], services: [] },
      userData: Buffer.from('#!/bin/sh\necho hi\n').toString('base64'),
      files: [{ path: '/etc/motd', contents: Buffer.from('hello').toString('base64') }],
    }
    await createConfigDrive(systemProcesses, { path, contents, directory: staging })
    expect(await readdir(staging)).toEqual([])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await run('isoinfo', '-d', '-i', path)).toString()).toContain('Volume id: config-2')
    const read = async (place: string) => (await run('isoinfo', '-R', '-i', path, '-x', `/${place}`)).toString()
    for (const version of ['2012-08-10', '2018-08-27', '2020-10-14', 'latest']) {
      expect(JSON.parse(await read(`openstack/${version}/meta_data.json`))).toEqual({
        ...contents.metaData,
        files: [{ path: '/etc/motd', content_path: '/content/0000' }],
      })
      expect(await read(`openstack/${version}/user_data`)).toBe('#!/bin/sh\necho hi\n')
    }
    expect(JSON.parse(await read('openstack/latest/network_data.json'))).toEqual(contents.networkData)
    expect(JSON.parse(await read('openstack/latest/vendor_data.json'))).toEqual({})
    expect(await read('openstack/content/0000')).toBe('hello')
    expect(JSON.parse(await read('ec2/latest/meta-data.json'))).toMatchObject({
      'instance-id': 'u-1',
      'public-keys': { 0: { 'openssh-key': 'ssh-ed25519 AAAA', _name: '0=mine' } },
    })
    const names = (await run('isoinfo', '-R', '-f', '-i', path)).toString()
    expect(names).not.toContain('2012-08-10/network_data.json')
    expect(names).toContain('2015-10-15/network_data.json')
  })

  it('config drives without user data have none', async () => {
    const path = join(directory, 'plain.iso')
    await createConfigDrive(systemProcesses, {
      path,
      contents: { metaData: {}, networkData: {}, userData: null, files: [] },
      directory,
    })
    const names = (await run('isoinfo', '-R', '-f', '-i', path)).toString()
    expect(names).toContain('latest/meta_data.json')
    expect(names).not.toMatch(/user[_-]data/)
  })

  it('programs that do not end are ended', async () => {
    const script = join(directory, 'slow')
    await writeFile(script, '#!/bin/sh\nexec sleep 60\n')
    await chmod(script, 0o755)
    await expect(systemProcesses.run(script, [], { timeoutMs: 100 })).rejects.toThrow('longer than 100 ms')
  })
})
