import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { computeQueue, surveyAnswer, type GuestSpecification, type Result, type SurveyAnswer } from '@nubo/contract'
import { consoleSocketPath } from '@nubo/hypervisor'
import { qemuProcess, startLibvirtHost, talk, testGuest, testGuestLetters, type LibvirtHost } from '@nubo/hypervisor/testing'
import { newId, systemClock, systemRandom, type HostId, type ServerId } from '@nubo/kernel'
import { MemoryQueue } from '@nubo/queue'
import { Metrics } from '@nubo/service-kit'
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assembleAgent } from './assemble.js'
import { agentFigures } from './figures.js'
import { agentConfiguration } from './configuration.js'
import { Conductor } from './testing/conductor.js'
import { eventually } from './testing/eventually.js'
import { guestSpecification, newServer, quiet } from './testing/test-agent.js'

const waitMs = 120_000
const image = Buffer.concat([testGuest, Buffer.alloc(65_536 - testGuest.length)])

let host: LibvirtHost
let imageServer: Server
let imageRequests = 0
let queue: MemoryQueue
let conductor: Conductor
let running: Awaited<ReturnType<typeof assembleAgent>>
const hostId = newId<HostId>(systemRandom)

beforeAll(async () => {
  host = await startLibvirtHost()
  imageServer = createServer((_, response) => {
    imageRequests++
    response.end(image)
  })
  await new Promise<void>((resolve) => imageServer.listen(0, '127.0.0.1', resolve))
  queue = new MemoryQueue({
    clock: systemClock,
    onError: (error) => {
      throw error
    },
  })
  conductor = new Conductor(queue, hostId)
  await startAgent()
}, waitMs)
afterAll(async () => {
  await stopAgent()
  await conductor.close()
  await host?.close()
  imageServer?.close()
}, waitMs)

async function startAgent(): Promise<void> {
  const configuration = agentConfiguration.parse({
    listen: { host: '127.0.0.1', port: 0 },
    redis: { host: '127.0.0.1', port: 1 },
    controlPlane: { publicKeyFile: '/nowhere' },
    host: {
      ...{ id: hostId, name: 'host-1', directory: host.directory, libvirtSocket: host.libvirtd.socketPath },
      ...{ address: '127.0.0.1', vcpus: 2, memoryMiB: 2048, diskGiB: 10, reservedMemoryMiB: 128 },
    },
    driver: 'libvirt',
    virtType: 'qemu',
  })
  const figures = agentFigures(new Metrics(systemClock, quiet))
  running = await assembleAgent({ configuration, queue, clock: systemClock, random: systemRandom, logger: quiet, figures })
  running.agent.start()
  await eventually(() => running.agent.isRegistered, { withinMs: waitMs })
}

async function stopAgent(): Promise<void> {
  await running?.agent.stop()
  await running?.hypervisor.close()
}

function guest(): GuestSpecification {
  const url = `http://127.0.0.1:${(imageServer.address() as AddressInfo).port}/image`
  const specification = guestSpecification(image, url)
  specification.image.imageId = imageId
  return specification
}
const imageId = guestSpecification().image.imageId

const order = (serverId: ServerId, letter: string, answer?: string) =>
  talk(consoleSocketPath(join(host.directory, 'consoles'), serverId), letter, answer)
const booted = (serverId: ServerId) => order(serverId, 'x', 'x')
const change = (serverId: ServerId) =>
  eventually(() => conductor.all('guest-changed').find((each) => each.serverId === serverId), { withinMs: waitMs })
const done = async (...[command, withinMs = waitMs]: Parameters<Conductor['done']>): Promise<Result['outcome']> =>
  conductor.done(command, withinMs)

async function survey(): Promise<SurveyAnswer> {
  const answer = await queue.ask(computeQueue(hostId), { kind: 'survey' }, waitMs)
  return surveyAnswer.parse(answer.ok ? answer.value : answer)
}

async function consoleOf(serverId: ServerId): Promise<string> {
  const answer = await queue.ask(computeQueue(hostId), { kind: 'console-output', serverId }, waitMs)
  expect(answer).toMatchObject({ ok: true, value: { output: expect.any(String) } })
  return (answer as { value: { output: string } }).value.output
}

async function built(): Promise<ServerId> {
  const serverId = newServer()
  expect(await done({ kind: 'build', serverId, guest: guest() })).toEqual({ state: 'done', powerState: 1 })
  return serverId
}

it(
  'builds guests from one image that it fetches once, and leaves nothing of them',
  async () => {
    const servers = await Promise.all([built(), built(), built()])
    expect(imageRequests).toBe(1)
    expect((await readdir(join(host.directory, 'images'))).length).toBe(1)
    for (const serverId of servers) {
      const directory = join(host.directory, `guests/${serverId}-1`)
      expect((await readdir(directory)).sort()).toEqual(['config.iso', 'disk.qcow2', 'guest.json', 'metadata.json'])
      expect((await stat(join(directory, 'disk.qcow2'))).mode & 0o777).toBe(0o600)
      const seed = await promisify(execFile)('isoinfo', [
        '-R',
        '-i',
        join(directory, 'config.iso'),
        '-x',
        '/openstack/latest/meta_data.json',
      ])
      expect(JSON.parse(seed.stdout)).toMatchObject({ hostname: 'web-1', random_seed: expect.stringMatching(/^.{684}$/) })
      expect((await qemuProcess(serverId)).uid).toBe(64_055)
    }
    await booted(servers[0]!)
    // What it has said is on its way to the file.
    await eventually(async () => (await consoleOf(servers[0]!)).includes('ready\n'), { withinMs: waitMs })
    const surveyed = await survey()
    expect(surveyed).toMatchObject({ next: null, strays: [], images: { count: 1, bytes: image.length } })
    expect(surveyed.servers.map(({ serverId }) => serverId)).toEqual(servers.toSorted())
    for (const { domain, folders } of surveyed.servers) {
      expect(domain).toEqual({ incarnation: 1, fencingEpoch: 1, powerState: 1 })
      expect(folders).toEqual([{ incarnation: 1, bytes: expect.any(Number) }])
      expect(folders[0]!.bytes).toBeGreaterThan(0)
    }
    for (const serverId of servers) expect(await done({ kind: 'destroy', serverId })).toEqual({ state: 'done', powerState: 0 })
    expect((await survey()).servers.filter(({ domain, folders }) => domain || folders.length > 0)).toEqual([])
    expect(await readdir(join(host.directory, 'guests'))).toEqual([])
    expect(await readdir(join(host.directory, 'consoles'))).toEqual([])
    expect(await host.domainNames()).toEqual([])
  },
  2 * waitMs,
)

it(
  'stops by the power button, starts, restarts both ways, and pulls the plug of a guest that is deaf',
  async () => {
    const serverId = await built()
    await booted(serverId)
    expect(await done({ kind: 'stop', serverId, graceMs: waitMs })).toEqual({ state: 'done', powerState: 4 })
    expect(await done({ kind: 'start', serverId })).toEqual({ state: 'done', powerState: 1 })
    await booted(serverId)
    const { pid } = await qemuProcess(serverId)
    expect(await done({ kind: 'reboot', serverId, type: 'soft', graceMs: waitMs })).toEqual({ state: 'done', powerState: 1 })
    expect((await qemuProcess(serverId)).pid).toBe(pid)
    expect(await done({ kind: 'reboot', serverId, type: 'hard', graceMs: 0 })).toEqual({ state: 'done', powerState: 1 })
    expect((await qemuProcess(serverId)).pid).not.toBe(pid)
    await booted(serverId)
    await order(serverId, testGuestLetters.ignoreButton, 'ready')
    expect(await done({ kind: 'stop', serverId, graceMs: 1_500 })).toMatchObject({
      powerState: 4,
      detail: expect.stringContaining('plug'),
    })
    expect(conductor.all('guest-changed').filter((each) => each.serverId === serverId)).toEqual([])
    await done({ kind: 'destroy', serverId })
  },
  3 * waitMs,
)

const ends: [string, string, (serverId: ServerId) => Promise<void>][] = [
  [
    'powered itself off',
    'guest-shutdown',
    async (serverId) => {
      await booted(serverId)
      await order(serverId, testGuestLetters.powerOff)
    },
  ],
  ['was destroyed through libvirt', 'destroyed-on-host', (serverId) => host.destroyDomain(serverId)],
  ['had its process killed', 'killed', async (serverId) => void process.kill((await qemuProcess(serverId)).pid, 'SIGKILL')],
]

it.each(ends)(
  'tells that a guest %s',
  async (_, cause, happens) => {
    const serverId = await built()
    await happens(serverId)
    expect(await change(serverId)).toMatchObject({ powerState: 4, cause })
    await done({ kind: 'destroy', serverId })
  },
  2 * waitMs,
)

it(
  'goes on with guests that outlived it and libvirtd, and tells of those that did not',
  async () => {
    const [stays, goes] = [await built(), await built()]
    await stopAgent()
    host.libvirtd.kill('SIGKILL')
    process.kill((await qemuProcess(goes)).pid, 'SIGKILL')
    await host.restartLibvirtd()
    await startAgent()
    const { guests } = conductor.all('register').at(-1)!
    expect(guests).toContainEqual(expect.objectContaining({ serverId: stays, powerState: 1 }))
    expect(guests).toContainEqual(expect.objectContaining({ serverId: goes, powerState: 4 }))
    host.libvirtd.kill('SIGKILL')
    const { pid } = await qemuProcess(stays)
    await host.restartLibvirtd()
    expect(await done({ kind: 'start', serverId: goes })).toEqual({ state: 'done', powerState: 1 })
    expect((await qemuProcess(stays)).pid).toBe(pid)
    for (const serverId of [stays, goes]) expect(await done({ kind: 'destroy', serverId })).toMatchObject({ state: 'done' })
  },
  3 * waitMs,
)
