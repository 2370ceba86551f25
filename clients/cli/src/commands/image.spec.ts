import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'

stopCloudsAfterEach()

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nubo-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(name: string, content: Buffer | string): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex')

describe('image create', () => {
  it('uploads a file, knows qcow2 by its first bytes, and prints the image', async () => {
    const { cloud, nubo } = await aCloud()
    const data = Buffer.concat([Buffer.from('QFI\u00fb', 'latin1'), Buffer.alloc(300_000, 7)])
    const outcome = await nubo(
      `image create debian --file ${file('d.img', data)} --public --property os_distro=debian --min-disk 2 --json`,
    )
    expect(outcome.json()).toMatchObject({
      name: 'debian',
      status: 'active',
      visibility: 'public',
      disk_format: 'qcow2',
      size_bytes: data.length,
    })
    expect(cloud.sent('POST', /images$/)[0]!.json()).toEqual({
      name: 'debian',
      disk_format: 'qcow2',
      container_format: 'bare',
      visibility: 'public',
      os_distro: 'debian',
      min_disk: 2,
    })
    const [upload] = cloud.sent('PUT', /file$/)
    expect(upload!.headers).toMatchObject({ 'content-type': 'application/octet-stream', 'content-length': String(data.length) })
    expect([...cloud.imageData.values()][0]!.equals(data)).toBe(true)
  })

  it('reads standard input where a format is named', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('image create d --file - --disk-format raw', { stdin: Buffer.from('from a pipe') })).code).toBe(0)
    expect([...cloud.imageData.values()][0]!.toString()).toBe('from a pipe')
    expect(await nubo('image create d --file -', { stdin: Buffer.from('x') })).toMatchObject({
      code: 2,
      stderr: 'nubo: What is read from standard input needs --disk-format\n',
    })
  })

  it('makes only the record where there is no file', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('image create empty --json')).json()).toMatchObject({ status: 'queued' })
    expect(cloud.sent('PUT', /./)).toEqual([])
  })

  it('takes the record away again when the data are refused, and says why', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('PUT', /file$/, () => ({
      status: 400,
      headers: { 'content-type': 'text/html' },
      body: '<html><h1>400 Bad Request</h1>It has a backing file.</html>',
    }))
    expect(await nubo(`image create bad --file ${file('d.img', 'x')}`)).toMatchObject({
      code: 1,
      stderr: 'nubo: It has a backing file.; no image was made (HTTP 400, req-11111111-2222-3333-4444-555555555555)\n',
    })
    expect(cloud.images).toEqual([])
  })

  it('does not believe an upload whose hash is another', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /images\/[0-9a-f-]+$/, () => ({ body: { ...cloud.images[0], os_hash_algo: 'sha512', os_hash_value: 'f00' } }))
    expect(await nubo(`image create d --file ${file('d.img', 'x')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('stored other bytes'),
    })
    expect(cloud.images).toEqual([])
  })

  it('refuses a folder, a missing file and a property that is none', async () => {
    const { cloud, nubo } = await aCloud()
    expect(await nubo(`image create d --file ${folder}`)).toMatchObject({ code: 2, stderr: `nubo: ${folder} is not a file\n` })
    expect(await nubo(`image create d --file ${folder}/missing`)).toMatchObject({
      code: 2,
      stderr: `nubo: Cannot read the image file ${folder}/missing: there is no such file or folder\n`,
    })
    expect(await nubo('image create d --property status=active')).toMatchObject({ code: 2 })
    expect(await nubo('image create d --public --private')).toMatchObject({ code: 2 })
    expect(cloud.images).toEqual([])
  })
})

describe('image save', () => {
  it('writes the data under the name only when they are whole and right', async () => {
    const { cloud, nubo } = await aCloud()
    const data = Buffer.alloc(500_000, 3)
    cloud.addImage({ name: 'good', os_hash_algo: 'sha512', os_hash_value: sha512(data) }, data)
    const target = join(folder, 'out.img')
    expect((await nubo(`image save good --file ${target}`)).code).toBe(0)
    expect(readFileSync(target).equals(data)).toBe(true)
    expect(readdirSync(folder)).toEqual(['out.img'])
  })

  it('keeps nothing of data that are damaged or cut off', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage({ name: 'damaged', os_hash_algo: 'sha512', os_hash_value: sha512(Buffer.from('other')) })
    expect(await nubo(`image save damaged --file ${join(folder, 'x')}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('are damaged: their sha512'),
    })
    cloud.addImage({ name: 'cut', checksum: null })
    cloud.on('GET', /file$/, () => ({ headers: { 'content-length': '1000' }, body: 'short', breakOff: true }))
    expect((await nubo(`image save cut --file ${join(folder, 'y')}`)).code).toBe(6)
    expect(readdirSync(folder)).toEqual([])
  })

  it('writes to standard output, unless that is a terminal', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage({ name: 'd' }, Buffer.from('bytes'))
    expect(await nubo('image save d')).toMatchObject({ code: 0, stdout: 'bytes' })
    expect(await nubo('image save d', { terminal: true })).toMatchObject({ code: 2 })
  })

  it('says what is wrong with the place', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage({ name: 'd' })
    expect(await nubo('image save d --file /dev/null/missing/x')).toMatchObject({
      code: 2,
      stderr: 'nubo: Cannot write /dev/null/missing/x: a part of the path is not a folder\n',
    })
  })
})

describe('image list, show, set, delete', () => {
  it('follows pages and filters', async () => {
    const { cloud, nubo } = await aCloud({ pageSize: 2 })
    for (let number = 0; number < 5; number += 1) cloud.addImage({ name: `i${number}` })
    expect((await nubo('image list --json --columns name')).json()).toEqual(
      Array.from({ length: 5 }, (_, number) => ({ name: `i${number}` })),
    )
    expect((await nubo('image list --public --status active')).code).toBe(0)
    expect(cloud.requests.map(({ path }) => path)).toContain('/image/v2/images?status=active&visibility=public')
  })

  it('works with a catalog that names the version already', async () => {
    const { cloud, nubo } = await aCloud({ imagePath: '/v2/' })
    cloud.addImage({ name: 'd' })
    expect((await nubo('image list --json')).json()).toHaveLength(1)
  })

  it('shows what the service and what people say of an image', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage({ name: 'd', os_distro: 'debian', size: 1536 })
    const { stdout } = await nubo('image show d')
    expect(stdout).toMatch(/^Size +1\.5 KiB$/m)
    expect(stdout).toMatch(/^Properties +os_distro=debian$/m)
  })

  it('changes by a JSON patch that replaces what is there and adds what is not', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage({ name: 'd', os_distro: 'debian' })
    expect((await nubo('image set d --name e --private --protected --property os_distro=devuan --property a/b=c')).code).toBe(0)
    const [patch] = cloud.sent('PATCH', /./)
    expect(patch!.headers['content-type']).toBe('application/openstack-images-v2.1-json-patch')
    expect(patch!.json()).toEqual([
      { op: 'replace', path: '/name', value: 'e' },
      { op: 'replace', path: '/visibility', value: 'private' },
      { op: 'replace', path: '/protected', value: true },
      { op: 'replace', path: '/os_distro', value: 'devuan' },
      { op: 'add', path: '/a~1b', value: 'c' },
    ])
    expect((await nubo('image unset e --property os_distro')).code).toBe(0)
    expect(cloud.sent('PATCH', /./)[1]!.json()).toEqual([{ op: 'remove', path: '/os_distro' }])
  })

  it('deletes', async () => {
    const { cloud, nubo } = await aCloud()
    const { id } = cloud.addImage({ name: 'd' })
    expect(await nubo('image delete d')).toMatchObject({ code: 0, stderr: `deleted d (${id})\n` })
    expect(await nubo(`image delete ${id}`)).toMatchObject({ code: 3, stderr: `nubo: There is no image '${id}'\n` })
  })
})

describe('keypair create', () => {
  it('makes a key here, sends only its public half and prints the private one', async () => {
    const { cloud, nubo } = await aCloud()
    const outcome = await nubo('keypair create me')
    expect(outcome.stdout).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/)
    const sent = cloud.sent('POST', /keypairs$/)[0]!
    expect(sent.json()).toEqual({
      keypair: { name: 'me', type: 'ssh', public_key: expect.stringMatching(/^ssh-ed25519 \S+ me$/) },
    })
    expect(sent.body).not.toContain('PRIVATE')
  })

  it('writes the private key for its owner alone, never over another, and not when the cloud refuses', async () => {
    const { cloud, nubo } = await aCloud()
    const path = join(folder, 'key')
    expect((await nubo(`keypair create me --private-key ${path}`)).stdout).not.toContain('PRIVATE')
    const { mode } = await import('node:fs').then(({ statSync }) => statSync(path))
    expect(mode & 0o777).toBe(0o600)
    expect(await nubo(`keypair create you --private-key ${path}`)).toMatchObject({
      code: 2,
      stderr: `nubo: Cannot write ${path}: it is there already\n`,
    })
    cloud.on('POST', /keypairs$/, () => ({
      status: 409,
      body: { conflictingRequest: { code: 409, message: "Key pair 'me' already exists." } },
    }))
    expect((await nubo(`keypair create me --private-key ${path}2`)).code).toBe(1)
    expect(existsSync(`${path}2`)).toBe(false)
  })

  it('imports a public key and refuses to send a private one', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo(`keypair create me --public-key ${file('k.pub', 'ssh-ed25519 AAAA me\n')}`)).code).toBe(0)
    expect(cloud.keypairs[0]).toMatchObject({ public_key: 'ssh-ed25519 AAAA me' })
    const secret = file('k', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n')
    expect(await nubo(`keypair create me --public-key ${secret}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is a private key'),
    })
    expect(cloud.keypairs).toHaveLength(1)
  })
})
