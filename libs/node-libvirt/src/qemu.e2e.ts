import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { connectLibvirt, type LibvirtConnection } from './connection.js'
import {
  CreateFlags,
  DomainState,
  ErrorCode,
  LifecycleEventDetail,
  LifecycleEventType,
  ListDomainsFlags,
  ModificationImpact,
  ShutdownFlags,
  XmlFlags,
} from './protocol/constants.js'
import { StatisticsFlags, StatisticsGroup } from './protocol/constants.js'
import type { DomainEvent } from './protocol/events.js'
import type { Domain } from './protocol/types.js'
import type { LibvirtStream } from './rpc/stream.js'
import { unixSocket } from './rpc/transport.js'
import type { Subscription } from './subscription.js'
import { bootSectorDomain, writeBootDisk } from './test/boot-sector.js'
import { rejection } from './test/setup.js'
import { until } from './test/until.js'
import { startPrivateLibvirtd, type PrivateLibvirtd } from './testing.js'

jest.setTimeout(120_000)

interface Host extends AsyncDisposable {
  directory: string
  libvirtd: PrivateLibvirtd
  libvirt: LibvirtConnection
}

async function startHost(options: { kvm?: boolean } = {}): Promise<Host> {
  const directory = await mkdtemp(join(tmpdir(), 'node-libvirt-'))
  const libvirtd = await startPrivateLibvirtd({ directory, ...options })
  const transport = unixSocket(libvirtd.socketPath)
  const libvirt = await connectLibvirt({ transport, keepAlive: { intervalMs: 500, count: 3 } })
  return {
    directory,
    libvirtd,
    libvirt,
    async [Symbol.asyncDispose]() {
      await libvirt.close()
      await libvirtd.stop()
      await rm(directory, { recursive: true })
    },
  }
}

let host: Host
let libvirt: LibvirtConnection
let libvirtd: PrivateLibvirtd

beforeAll(async () => {
  host = await startHost()
  ;({ libvirt, libvirtd } = host)
})

afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

async function define({ libvirt, libvirtd }: Host, name: string, options?: { type: 'kvm' }): Promise<Domain> {
  await writeBootDisk(join(libvirtd.imagesDirectory, `${name}.raw`))
  return libvirt.domainDefineXml({ xml: bootSectorDomain(name, `/var/lib/libvirt/images/${name}.raw`, options) })
}

/** Reads a console until it has said `text`. */
async function says(stream: LibvirtStream, text: string): Promise<void> {
  let heard = ''
  await until(() => {
    if (stream.destroyed) throw new Error(`the console closed after '${heard}'`)
    heard += stream.read() ?? ''
    return heard.includes(text)
  })
}

/** Opens the console of a guest that was started paused, so that not a byte is missed, and lets it go. */
async function boot({ libvirt }: Host, domain: Domain): Promise<LibvirtStream> {
  await libvirt.domainCreate({ domain, flags: CreateFlags.Paused })
  const stream = await libvirt.openConsole({ domain })
  await libvirt.domainResume({ domain })
  await says(stream, 'ready')
  return stream
}

/** Reads events until one fits. */
async function eventually(subscription: Subscription<any>, fits: (event: DomainEvent) => boolean): Promise<DomainEvent> {
  for (;;) {
    const { value, done } = await subscription.next()
    if (done) throw new Error('the subscription ended')
    if (value.kind !== 'resync' && fits(value as DomainEvent)) return value as DomainEvent
  }
}

const { Stopped } = LifecycleEventType
const stopped = (event: DomainEvent) => event.kind === 'lifecycle' && event.type === Stopped

describe('QEMU', () => {
  it('says what it can do', async () => {
    expect(await libvirt.connectGetType()).toBe('QEMU')
    expect((await libvirt.connectGetVersion()).major).toBeGreaterThanOrEqual(7)
    const capabilities = await libvirt.connectGetDomainCapabilities({
      architecture: 'x86_64',
      machine: 'pc',
      virtualizationType: 'qemu',
    })
    expect(capabilities).toContain('<domain>qemu</domain>')
    const memory = await libvirt.nodeMemoryStatistics()
    expect(Object.keys(memory)).toEqual(expect.arrayContaining(['total', 'free', 'buffers', 'cached']))
    expect(memory['free']! < memory['total']!).toBe(true)
    expect((await libvirt.nodeGetInfo()).memoryKiB).toBeGreaterThan(0)
    expect(Object.keys(await libvirt.nodeCpuStatistics())).toEqual(expect.arrayContaining(['user', 'kernel', 'idle']))
  })

  it('runs a guest that can be heard, spoken to, measured, and asked to go', async () => {
    await using subscription = await libvirt.subscribe(['lifecycle', 'reboot'])
    const domain = await define(host, 'obedient')
    const stream = await boot(host, domain)
    stream.write('echo me')
    await says(stream, 'echo me')

    const [measured] = await libvirt.connectGetAllDomainStats({
      domains: [],
      groups:
        StatisticsGroup.State | StatisticsGroup.CpuTotal | StatisticsGroup.Balloon | StatisticsGroup.Vcpu | StatisticsGroup.Block,
      flags: StatisticsFlags.Running | StatisticsFlags.NoWait,
    })
    expect(measured!.domain.uuid).toBe(domain.uuid)
    expect(measured!.statistics).toMatchObject({
      'state.state': DomainState.Running,
      'cpu.time': expect.any(BigInt),
      'balloon.maximum': 16_384n,
      'vcpu.current': 1,
      'block.count': 1,
      'block.0.name': 'hda',
      'block.0.capacity': 1_048_576n,
    })

    await libvirt.domainReset({ domain })
    await says(stream, 'ready')
    stream.write('r')
    await eventually(subscription, ({ kind }) => kind === 'reboot')
    await says(stream, 'ready')

    await libvirt.domainShutdown({ domain, flags: ShutdownFlags.AcpiPowerButton })
    const end = await eventually(subscription, stopped)
    expect(end).toMatchObject({ domain: { uuid: domain.uuid }, detail: LifecycleEventDetail.Stopped.Shutdown })
    expect(await libvirt.domainGetState({ domain })).toEqual({ state: DomainState.Shutoff, reason: 1 })
    expect(await rejection(libvirt.domainDestroy({ domain }))).toMatchObject({ code: ErrorCode.OperationInvalid })
    await libvirt.domainUndefine({ domain })
    expect(await rejection(libvirt.domainLookupByUuid({ uuid: domain.uuid }))).toMatchObject({
      code: ErrorCode.NoDomain,
      domainName: 'Qemu',
    })
  })

  it('plugs a device in, asks for it back, and hears when it is out', async () => {
    await using subscription = await libvirt.subscribe(['deviceRemoved'])
    const domain = await define(host, 'plugged')
    ;(await boot(host, domain)).destroy()
    const [alias, mac] = ['ua-card', '52:54:00:00:00:01']
    const xml = `<interface type='user'><mac address='${mac}'/><model type='virtio'/><alias name='${alias}'/></interface>`
    await libvirt.domainAttachDevice({ domain, xml, flags: ModificationImpact.Live | ModificationImpact.Config })
    expect(await libvirt.domainGetXmlDesc({ domain })).toContain(alias)
    await libvirt.domainDetachDevice({ domain, xml, flags: ModificationImpact.Config })
    expect(await libvirt.domainGetXmlDesc({ domain, flags: XmlFlags.Inactive })).not.toContain(alias)
    await libvirt.domainDetachDevice({ domain, xml, flags: ModificationImpact.Live })
    // This guest hears nothing of it; a reset does what is outstanding.
    expect(await libvirt.domainGetXmlDesc({ domain })).toContain(alias)
    await libvirt.domainReset({ domain })
    const removed = await eventually(subscription, ({ kind }) => kind === 'deviceRemoved')
    expect(removed).toMatchObject({ alias, domain: { uuid: domain.uuid } })
    expect(await libvirt.domainGetXmlDesc({ domain })).not.toContain(alias)
    await libvirt.domainDestroy({ domain })
    await libvirt.domainUndefine({ domain })
  })

  it('tells a guest that went by itself from one whose QEMU was killed', async () => {
    await using subscription = await libvirt.subscribe(['lifecycle'])
    const domain = await define(host, 'mortal')
    ;(await boot(host, domain)).write('q')
    expect(await eventually(subscription, stopped)).toMatchObject({ detail: LifecycleEventDetail.Stopped.Shutdown })

    const stream = await boot(host, domain)
    process.kill(Number(await readFile(join(host.directory, 'run/qemu/mortal.pid'), 'utf8')), 'SIGKILL')
    expect(await eventually(subscription, stopped)).toMatchObject({ detail: LifecycleEventDetail.Stopped.Failed })
    stream.resume()
    await until(() => stream.closed)
    await libvirt.domainUndefine({ domain })
  })

  it('ends a console that was open across destroy and undefine, and goes on', async () => {
    const domain = await define(host, 'gone')
    const stream = await boot(host, domain)
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    stream.resume()
    await libvirt.domainDestroy({ domain })
    await libvirt.domainUndefine({ domain })
    await closed
    expect(await libvirt.connectListAllDomains()).not.toContainEqual(expect.objectContaining({ name: 'gone' }))
    const again = await boot(host, await define(host, 'gone'))
    again.destroy()
    await libvirt.domainDestroy({ domain: await libvirt.domainLookupByName({ name: 'gone' }) })
    await libvirt.domainUndefine({ domain: await libvirt.domainLookupByName({ name: 'gone' }) })
  })
})

describe('when a guest hangs', () => {
  it('what was asked of it has an unknown outcome, keepalive goes on, and so does the connection once it wakes', async () => {
    const domain = await define(host, 'hung')
    ;(await boot(host, domain)).destroy()
    const disconnected: unknown[] = []
    libvirt.on('disconnected', (error) => disconnected.push(error))
    const qemu = Number(await readFile(join(host.directory, 'run/qemu/hung.pid'), 'utf8'))
    process.kill(qemu, 'SIGSTOP')
    try {
      // Longer than keepalive would wait for a libvirtd that does not read: as many calls as go out at once leave it reading.
      const stuck = ['domainSuspend', 'domainReset', 'domainShutdown', 'domainReboot'] as const
      const asked = stuck.map((name) => rejection(libvirt[name]({ domain }, { timeoutMs: 4000 })))
      const crowdedOut = rejection(libvirt.connectGetHostname({ timeoutMs: 1000 }))
      expect(await crowdedOut).toMatchObject({ name: 'LibvirtDeadlineError', outcome: 'not-sent' })
      for (const error of await Promise.all(asked))
        expect(error).toMatchObject({ name: 'LibvirtDeadlineError', outcome: 'unknown' })
    } finally {
      process.kill(qemu, 'SIGCONT')
    }
    expect(await libvirt.connectGetHostname()).not.toBe('')
    expect(disconnected).toEqual([])
    await libvirt.domainDestroy({ domain })
    await libvirt.domainUndefine({ domain })
  })
})

describe('when libvirtd goes away under a running guest', () => {
  let domain: Domain
  beforeAll(async () => {
    domain = await define(host, 'survivor')
    ;(await boot(host, domain)).destroy()
  })
  afterAll(async () => {
    await libvirt.domainDestroy({ domain })
    await libvirt.domainUndefine({ domain })
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('(%s) the guest lives on, and its events come again', async (signal) => {
    await using subscription = await libvirt.subscribe(['lifecycle'])
    libvirtd.kill(signal)
    await until(() => libvirt.state === 'disconnected')
    expect(await rejection(libvirt.domainGetState({ domain }))).toMatchObject({ outcome: 'not-sent' })
    await libvirtd.restart()
    await libvirt.ready()
    expect((await subscription.next()).value).toEqual({ kind: 'resync', reason: 'reconnected' })
    expect((await libvirt.connectListAllDomains({ flags: ListDomainsFlags.Running })).map(({ name }) => name)).toEqual([
      'survivor',
    ])
    await libvirt.domainSuspend({ domain })
    expect((await subscription.next()).value).toMatchObject({ kind: 'lifecycle', type: LifecycleEventType.Suspended })
    await libvirt.domainResume({ domain })
  })

  it('(SIGSTOP) keepalive finds that it hangs, and what was asked of it has an unknown outcome', async () => {
    await using subscription = await libvirt.subscribe(['lifecycle'])
    libvirtd.kill('SIGSTOP')
    const pending = rejection(libvirt.domainSuspend({ domain }))
    expect(await pending).toMatchObject({
      name: 'LibvirtConnectionError',
      outcome: 'unknown',
      message: expect.stringContaining('silent'),
    })
    libvirtd.kill('SIGCONT')
    await libvirt.ready()
    expect((await subscription.next()).value).toMatchObject({ kind: expect.stringMatching(/resync|lifecycle/) })
    // It may have been done or not: only a look can tell.
    const { state } = await libvirt.domainGetState({ domain })
    if (state === DomainState.Paused) await libvirt.domainResume({ domain })
    expect((await libvirt.domainGetState({ domain })).state).toBe(DomainState.Running)
  })
})

describe('KVM', () => {
  // /dev/kvm alone does not say that the processor can do it; but without it there is nothing to try.
  const reason = existsSync('/dev/kvm') ? undefined : 'this machine has no /dev/kvm'
  if (reason !== undefined) console.log(`the guest under KVM is skipped: ${reason}`)

  ;(reason === undefined ? it : it.skip)('runs the guest', async () => {
    await using host = await startHost({ kvm: true })
    const { libvirt } = host
    expect(await libvirt.connectGetDomainCapabilities({ virtualizationType: 'kvm', machine: 'pc' })).toContain(
      '<domain>kvm</domain>',
    )
    const domain = await define(host, 'accelerated', { type: 'kvm' })
    const stream = await boot(host, domain)
    expect(await readFile(join(host.directory, 'log/qemu/accelerated.log'), 'utf8')).toContain('-accel kvm')
    stream.write('echo')
    await says(stream, 'echo')
    stream.destroy()
    await libvirt.domainDestroy({ domain })
  })
})
