import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdir, readFile } from 'node:fs/promises'
import { waitFor } from '@nubo/deploy'
import { connectLibvirt, unixSocket } from '@nubo/node-libvirt'
import { CloudClient } from '../support/client.js'
import { Installation } from '../support/installation.js'

const minutes = 60_000
const nowhere = 0

interface Server {
  id: string
  status: string
  'OS-EXT-SRV-ATTR:host': string
}

interface Action {
  action: string
  message: string | null
}

let cloud: Installation
let admin: CloudClient
let parts: { imageRef: string; flavorRef: string; networks: string }

beforeAll(async () => {
  cloud = await Installation.up('guests')
  const clouds = await readFile(cloud.cloudsFile, 'utf8')
  const [, password] = /nubo-admin:[\s\S]*?password: *"?([^"\s]+)/.exec(clouds)!
  const [, authUrl] = /auth_url: *"?([^"\s]+)\/v3/.exec(clouds)!
  admin = await new CloudClient(authUrl!, await imageUrlOf(authUrl!, password!)).login('admin', password!, 'admin')
  const images = await admin.image<{ images: { id: string }[] }>('GET', '/images?name=nubo-guest')
  const flavors = await admin.compute<{ flavors: { id: string; name: string }[] }>('GET', '/flavors')
  parts = {
    imageRef: images.body.images[0]!.id,
    flavorRef: flavors.body.flavors.find((flavor) => flavor.name === 'm1.nano')!.id,
    networks: 'none',
  }
}, 10 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, 5 * minutes)

async function imageUrlOf(authUrl: string, password: string): Promise<string> {
  const client = await new CloudClient(authUrl, '').login('admin', password, 'admin')
  const answer = await client.call<{ catalog: { type: string; endpoints: { interface: string; url: string }[] }[] }>(
    'GET',
    `${authUrl}/v3/auth/catalog`,
  )
  const image = answer.body.catalog.find((service) => service.type === 'image')!
  return image.endpoints.find((endpoint) => endpoint.interface === 'public')!.url
}

async function create(name: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await admin.compute<{ server: { id: string } }>('POST', '/servers', { server: { name, ...parts, ...more } })
  expect(answer.status).toBe(202)
  await becomes(answer.body.server.id, 'ACTIVE')
  return answer.body.server.id
}

async function show(id: string): Promise<Server> {
  return (await admin.compute<{ server: Server }>('GET', `/servers/${id}`)).body.server
}

async function becomes(id: string, status: string): Promise<void> {
  await waitFor(`the server is ${status}`, async () => (await show(id)).status === status, {
    timeoutMs: 3 * minutes,
    everyMs: 200,
  })
}

async function consoleSays(id: string, text: string): Promise<void> {
  const says = async () => {
    const answer = await admin.compute<{ output?: string }>('POST', `/servers/${id}/action`, { 'os-getConsoleOutput': {} })
    return answer.body.output?.includes(text)
  }
  await waitFor(`the console says ${text}`, says, { timeoutMs: 3 * minutes, everyMs: 500 })
}

async function actionsOf(id: string): Promise<Action[]> {
  return (await admin.compute<{ instanceActions: Action[] }>('GET', `/servers/${id}/os-instance-actions`)).body.instanceActions
}

async function remove(id: string): Promise<void> {
  expect((await admin.compute('DELETE', `/servers/${id}`)).status).toBe(204)
  await waitFor('the server is gone', async () => (await admin.compute('GET', `/servers/${id}`)).status === 404, {
    timeoutMs: minutes,
    everyMs: 200,
  })
}

/** The process of QEMU that runs this server; 0 where none does. */
async function qemuOf(id: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(`guest=nubo-${id}`)) return Number(entry)
  }
  return nowhere
}

/** The first process of a host: without it the host is off. */
async function hostProcess(name: string): Promise<number> {
  const status = await cloud.command('status')
  return Number(new RegExp(`^${name} +(\\d+) `, 'm').exec(status)![1])
}

/** What `virsh destroy` does. */
async function destroyThroughLibvirt(socket: string, id: string): Promise<void> {
  const libvirt = await connectLibvirt({ transport: unixSocket(socket) })
  try {
    await libvirt.domainDestroy({ domain: await libvirt.domainLookupByUuid({ uuid: id }) })
  } finally {
    await libvirt.close()
  }
}

describe('a guest', () => {
  it(
    'that powers itself off is SHUTOFF, with the cause in its actions, and stays so',
    async () => {
      const script = '#!/bin/sh\necho going down now\npoweroff\n'
      const id = await create('poweroff', { user_data: Buffer.from(script).toString('base64') })
      await becomes(id, 'SHUTOFF')
      expect((await actionsOf(id))[0]).toMatchObject({ action: 'stop', message: expect.stringContaining('powered itself off') })
      await remove(id)
    },
    5 * minutes,
  )

  it(
    'that was destroyed through libvirt, or whose process was killed, is SHUTOFF and says which',
    async () => {
      const id = await create('ended')
      const { 'OS-EXT-SRV-ATTR:host': host } = await show(id)
      await destroyThroughLibvirt(`/proc/${await hostProcess(host)}/root/run/libvirt/libvirt-sock`, id)
      await becomes(id, 'SHUTOFF')
      expect((await actionsOf(id))[0]).toMatchObject({ action: 'stop', message: expect.stringContaining('not through the API') })
      expect((await admin.compute('POST', `/servers/${id}/action`, { 'os-start': null })).status).toBe(202)
      await becomes(id, 'ACTIVE')
      process.kill(await qemuOf(id), 'SIGKILL')
      await becomes(id, 'SHUTOFF')
      expect((await actionsOf(id))[0]).toMatchObject({ action: 'stop', message: expect.stringContaining('killed') })
      await remove(id)
    },
    5 * minutes,
  )

  it(
    'is asked to stop by ACPI, and obeys',
    async () => {
      const id = await create('obedient')
      await consoleSays(id, 'login:')
      expect((await admin.compute('POST', `/servers/${id}/action`, { 'os-stop': null })).status).toBe(202)
      await becomes(id, 'SHUTOFF')
      await remove(id)
    },
    5 * minutes,
  )

  it(
    'that was to run is started again after its host was, and one that was stopped is not',
    async () => {
      const running = await create('running')
      const stopped = await create('stopped')
      process.kill(await qemuOf(stopped), 'SIGKILL')
      await becomes(stopped, 'SHUTOFF')
      const { 'OS-EXT-SRV-ATTR:host': host } = await show(running)
      const before = await qemuOf(running)
      process.kill(await hostProcess(host), 'SIGKILL')
      await waitFor('the guest died with its host', async () => (await qemuOf(running)) === nowhere, { timeoutMs: minutes })
      await cloud.command('up')
      await waitFor('the guest runs again', async () => (await qemuOf(running)) !== nowhere, { timeoutMs: 2 * minutes })
      expect(await qemuOf(running)).not.toBe(before)
      await becomes(running, 'ACTIVE')
      expect((await actionsOf(running))[0]).toMatchObject({ action: 'start' })
      expect(await show(stopped)).toMatchObject({ status: 'SHUTOFF' })
      expect(await qemuOf(stopped)).toBe(nowhere)
      await remove(running)
      await remove(stopped)
    },
    8 * minutes,
  )
})

it('nothing is left of deleted guests on the hosts', async () => {
  const servers = await admin.compute<{ servers: Server[] }>('GET', '/servers?all_tenants=1')
  const alive = new Set(servers.body.servers.map((server) => server.id))
  const hosts = `${cloud.directory}/hosts`
  for (const host of await readdir(hosts)) {
    const files = (await readdir(`${hosts}/${host}`, { recursive: true })).filter((file) => !file.includes('journal'))
    const ids = files.flatMap((file) => /guests\/([0-9a-f]{8}-[0-9a-f-]{27})/.exec(file)?.[1] ?? [])
    for (const id of ids) expect(alive).toContain(id)
  }
})
