import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemClock, systemRandom, type ProjectId, type ServerId } from '@nubo/kernel'
import { connectLibvirt, MetadataType, ModificationImpact, unixSocket, type LibvirtConnection } from '@nubo/node-libvirt'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readlink, readFile, rmdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestDefinition, GuestNic } from '../guest-definition.js'
import type { Hypervisor, HypervisorEvent } from '../hypervisor.js'
import { describeHypervisor } from '../testing/conformance.js'
import { cuttableSocket } from '../testing/cuttable-socket.js'
import { eventually } from '../testing/eventually.js'
import { consoleLimitBytes, startLibvirtHost, type LibvirtHost } from '../testing/libvirt-host.js'
import { prepareTestGuest, qemuProcess, talk } from '../testing/qemu-guests.js'
import { testGuestLetters } from '../testing/test-guest.js'
import { testNic } from '../testing/test-nic.js'
import { consoleSocketPath } from '../xml/domain-xml.js'
import { openLibvirtHypervisor } from './open-libvirt-hypervisor.js'

const uri = 'qemu:///system'
const ip = (...args: string[]) => promisify(execFile)('ip', args)
const waitMs = 120_000

let host: LibvirtHost
let elsewhere: LibvirtConnection
let consoles: string
/** Of this test alone, on the machine. */
const bridge = `nbt${systemRandom.bytes(4).toString('hex')}`

beforeAll(async () => {
  await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('link', 'set', bridge, 'mtu', '1450', 'up')
  host = await startLibvirtHost()
  consoles = join(host.directory, 'consoles')
  elsewhere = await connectLibvirt({ transport: unixSocket(host.libvirtd.socketPath), uri })
}, waitMs)
afterAll(async () => {
  await elsewhere?.close()
  await host?.close()
  await ip('link', 'delete', bridge)
}, waitMs)

const open = (socketPath: string) =>
  openLibvirtHypervisor({
    socketPath,
    uri,
    virtType: 'qemu',
    consoleDirectory: consoles,
    callTimeoutMs: waitMs,
    clock: systemClock,
    random: systemRandom,
  })
const booted = (serverId: ServerId) => talk(consoleSocketPath(consoles, serverId), 'x', 'x')
const order = (serverId: ServerId, letter: string, answer?: string) => talk(consoleSocketPath(consoles, serverId), letter, answer)
const prepare = (serverId: ServerId) => prepareTestGuest(join(host.directory, 'guests'), serverId)

describeHypervisor(
  'QEMU under libvirt',
  async () => {
    const socket = await cuttableSocket(join(host.directory, 'cuttable'), host.libvirtd.socketPath)
    const hypervisor = await open(socket.path)
    return {
      hypervisor,
      prepareGuest: prepare,
      booted,
      prepareNic: async () => testNic(bridge),
      // What it says when it has booted is the same word: that it answers behind it shows that it has obeyed.
      async clingTo(serverId) {
        await order(serverId, testGuestLetters.ignoreButton, 'ready')
        await booted(serverId)
      },
      powerOffFromInside: (serverId) => order(serverId, testGuestLetters.powerOff),
      destroyFromElsewhere: (serverId) => elsewhere.domainDestroy({ domain: { uuid: serverId } }),
      ignoreButton: (serverId) => order(serverId, testGuestLetters.ignoreButton, 'ready'),
      killProcess: async (serverId) => void process.kill((await qemuProcess(serverId)).pid, 'SIGKILL'),
      async startForeigner() {
        const xml =
          "<domain type='qemu'><name>foreigner</name><memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>"
        await elsewhere.domainCreateXml({ xml })
      },
      async interrupt(meanwhile) {
        socket.cut()
        await meanwhile()
        socket.mend()
      },
      greeting: 'ready',
      tellsReboots: true,
      async close() {
        await hypervisor.close()
        await socket.close()
      },
    }
  },
  { waitMs },
)

describe('QEMU under libvirt', () => {
  let hypervisor: Hypervisor
  const events: HypervisorEvent[] = []

  beforeAll(async () => {
    hypervisor = await open(host.libvirtd.socketPath)
    hypervisor.watch((event) => events.push(event))
  })
  afterAll(() => hypervisor?.close())

  async function define(nics: GuestNic[] = []): Promise<ServerId> {
    const serverId = newId<ServerId>(systemRandom)
    const guest: GuestDefinition = {
      serverId,
      projectId: newId<ProjectId>(systemRandom),
      incarnation: 1,
      fencingEpoch: 1,
      name: 'x',
      vcpus: 1,
      memoryMiB: 64,
      nics,
      ...(await prepare(serverId)),
    }
    await hypervisor.define(guest)
    return serverId
  }
  async function start(): Promise<ServerId> {
    const serverId = await define()
    await hypervisor.start(serverId)
    return serverId
  }
  const devices = () => readdir('/sys/class/net')
  async function remove(serverId: ServerId): Promise<void> {
    await hypervisor.powerOff(serverId)
    await hypervisor.undefine(serverId)
  }

  it(
    'runs as an unprivileged user, on disks that are its own and an image that is not',
    async () => {
      const serverId = await start()
      const { uid, commandLine } = await qemuProcess(serverId)
      expect(uid).toBe(64_055)
      expect(commandLine.join(' ')).toContain('-sandbox on')
      expect(commandLine.join(' ')).toContain('tb-size=32')
      expect((await stat(join(host.directory, 'guests/test-guest.raw'))).uid).toBe(0)
      expect((await stat(join(host.directory, `guests/${serverId}.qcow2`))).uid).toBe(64_055)
      await remove(serverId)
    },
    waitMs,
  )

  it(
    'forgets a guest only when its console is removed: whoever was cut off before that would not find it again',
    async () => {
      const serverId = await define()
      const socketPath = consoleSocketPath(consoles, serverId)
      await mkdir(socketPath)
      await expect(hypervisor.undefine(serverId)).rejects.toThrow()
      expect(await hypervisor.inspect(serverId)).toBeDefined()
      await rmdir(socketPath)
      await hypervisor.undefine(serverId)
      expect(await hypervisor.inspect(serverId)).toBeUndefined()
    },
    waitMs,
  )

  it(
    'keeps a console within its limit, however much a guest writes, and takes it away with the guest',
    async () => {
      const serverId = await start()
      await booted(serverId)
      // Nobody listens at the socket, so nothing is lost on the way to the log.
      await order(serverId, testGuestLetters.flood)
      await eventually(async () => (await hypervisor.consoleOutput(serverId, 100)).toString().endsWith('nopq\nready\n'), {
        withinMs: waitMs,
      })
      const files = (await readdir(consoles)).filter((name) => name.startsWith(`${serverId}.log`))
      const sizes = await Promise.all(files.map(async (name) => (await stat(join(consoles, name))).size))
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2 * consoleLimitBytes)
      const output = await hypervisor.consoleOutput(serverId, consoleLimitBytes)
      expect(output).toHaveLength(consoleLimitBytes)
      expect(output.toString('latin1')).toMatch(/^[0-9a-z]*\n([0-9a-z]{63,}\n)+ready\n$/)
      await remove(serverId)
      expect((await readdir(consoles)).filter((name) => name.startsWith(serverId))).toEqual([])
    },
    2 * waitMs,
  )

  it(
    'goes on when virtlogd has died, and is written down again from its next start',
    async () => {
      const serverId = await start()
      await booted(serverId)
      await host.withoutLogger(async () => {
        // More than a pipe holds. What it writes while nobody keeps up is lost; that it can still answer is what counts.
        await order(serverId, testGuestLetters.flood)
        await order(serverId, 'Z', 'Z')
        expect((await hypervisor.consoleOutput(serverId, consoleLimitBytes)).toString()).not.toContain('Z')
      })
      const before = await hypervisor.consoleOutput(serverId, consoleLimitBytes)
      await hypervisor.powerOff(serverId)
      await hypervisor.start(serverId)
      await booted(serverId)
      await eventually(async () => (await hypervisor.consoleOutput(serverId, consoleLimitBytes)).length > before.length, {
        withinMs: waitMs,
      })
      await remove(serverId)
    },
    2 * waitMs,
  )

  it(
    'outlives a restart of libvirtd, and what ended meanwhile is known afterwards',
    async () => {
      const [stays, goes] = [await start(), await start()]
      const { pid } = await qemuProcess(goes)
      host.libvirtd.kill('SIGKILL')
      await eventually(() => events.some((event) => event.kind === 'disconnected'), { withinMs: waitMs })
      process.kill(pid, 'SIGKILL')
      await host.restartLibvirtd()
      await eventually(() => events.some((event) => event.kind === 'reconnected'), { withinMs: waitMs })
      expect(await hypervisor.inspect(stays)).toMatchObject({ powerState: 'running', incarnation: 1 })
      expect(await hypervisor.inspect(goes)).toMatchObject({ powerState: 'shutdown', incarnation: 1 })
      await remove(stays)
      await remove(goes)
    },
    2 * waitMs,
  )

  it(
    'makes the tap of an interface with the guest, on its bridge, and takes it away with it',
    async () => {
      const [first, second] = [testNic(bridge), testNic(bridge)]
      const serverId = await define([first])
      await hypervisor.start(serverId)
      await booted(serverId)
      await hypervisor.attachNic(serverId, second)
      for (const { device } of [first, second]) {
        expect(basename(await readlink(`/sys/class/net/${device}/master`))).toBe(bridge)
        expect(await readFile(`/sys/class/net/${device}/mtu`, 'utf8')).toBe('1450\n')
      }
      await hypervisor.detachNic(serverId, second.portId)
      expect(await devices()).toContain(first.device)
      expect(await devices()).not.toContain(second.device)
      await remove(serverId)
      expect(await devices()).not.toContain(first.device)
    },
    waitMs,
  )

  it(
    'tells a guest that was ended by a signal from one that ended itself',
    async () => {
      const serverId = await start()
      process.kill((await qemuProcess(serverId)).pid, 'SIGTERM')
      const stop = await eventually(() => events.find((event) => event.kind === 'stopped' && event.serverId === serverId), {
        withinMs: waitMs,
      })
      expect(stop).toMatchObject({ cause: 'killed' })
      await remove(serverId)
    },
    waitMs,
  )

  it(
    'does not take a guest that has lost its stamp for one that is gone',
    async () => {
      const serverId = await start()
      const query = { domain: { uuid: serverId }, type: MetadataType.Element, uri: 'https://nubo.dev/domain/1' }
      await elsewhere.domainSetMetadata({ ...query, flags: ModificationImpact.Live })
      await expect(hypervisor.inspect(serverId)).rejects.toMatchObject({
        kind: 'Conflict',
        message: expect.stringContaining('no stamp'),
      })
      expect((await hypervisor.list()).map((guest) => guest.serverId)).not.toContain(serverId)
      await remove(serverId)
    },
    waitMs,
  )
})
