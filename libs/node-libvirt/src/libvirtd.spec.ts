import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '@nubo/deploy'
import { connectLibvirt, type LibvirtConnection } from './connection.js'
import {
  DomainState,
  ErrorCode,
  ErrorDomain,
  LifecycleEventDetail,
  LifecycleEventType,
  ListDomainsFlags,
  MetadataType,
} from './protocol/constants.js'
import { ModificationImpact, RunningReason, ShutoffReason, StatisticsGroup } from './protocol/constants.js'
import { tcp, unixSocket } from './rpc/transport.js'
import type { Subscription } from './subscription.js'
import { rejection } from './test/setup.js'
import { startPrivateLibvirtd, type PrivateLibvirtd } from './testing.js'

/** A real libvirtd, with the hypervisor that it makes up: `test:///default`. */
let directory: string
let libvirtd: PrivateLibvirtd
let tcpPort: number
let libvirt: LibvirtConnection

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-libvirt-'))
  tcpPort = await freePort()
  libvirtd = await startPrivateLibvirtd({ directory, tcpPort })
  libvirt = await connectLibvirt({ transport: unixSocket(libvirtd.socketPath), uri: 'test:///default' })
})

afterAll(async () => {
  await libvirt?.close()
  await libvirtd?.stop()
  await rm(directory, { recursive: true })
})

function domainXml(name: string, memoryKiB = 65_536): string {
  return `<domain type='test'><name>${name}</name><memory>${memoryKiB}</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>`
}

/** The next events of a subscription, as `Started Booted`. */
async function lifecycle(subscription: Subscription<'lifecycle'>, count: number): Promise<string[]> {
  const seen: string[] = []
  while (seen.length < count) {
    const { value } = await subscription.next()
    if (value?.kind !== 'lifecycle') throw new Error(`a ${value?.kind} instead of an event`)
    const [type] = Object.entries(LifecycleEventType).find(([, number]) => number === value.type)!
    const [detail] = Object.entries(LifecycleEventDetail[type as keyof typeof LifecycleEventDetail]).find(
      ([, number]) => number === value.detail,
    )!
    seen.push(`${value.domain.name}: ${type} ${detail}`)
  }
  return seen
}

describe('libvirtd', () => {
  it('says what it is and where it runs', async () => {
    expect(await libvirt.connectGetType()).toBe('TEST')
    expect(await libvirt.connectGetUri()).toBe('test:///default')
    expect(await libvirt.connectGetVersion()).toEqual({ major: 0, minor: 0, release: 2 })
    expect((await libvirt.connectGetLibVersion()).major).toBeGreaterThanOrEqual(9)
    expect(await libvirt.connectGetHostname()).not.toBe('')
    expect(await libvirt.connectGetCapabilities()).toMatch(/^<capabilities>[\s\S]*<\/capabilities>\s*$/)
    expect(await libvirt.nodeGetInfo()).toEqual({
      model: 'i686',
      memoryKiB: 3_145_728,
      cpus: 16,
      megahertz: 1400,
      numaNodes: 2,
      sockets: 2,
      coresPerSocket: 2,
      threadsPerCore: 2,
    })
    expect(await libvirt.nodeGetFreeMemory()).toBeGreaterThan(0)
  })

  it('answers over TCP as over its socket', async () => {
    await using overTcp = await connectLibvirt({ transport: tcp({ host: '127.0.0.1', port: tcpPort }), uri: 'test:///default' })
    expect(await overTcp.connectListAllDomains()).toEqual(await libvirt.connectListAllDomains())
  })

  it('serves hundreds of calls that were made at once', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => libvirt.domainLookupByName({ name: 'test' })))
    expect(new Set(answers.map(({ uuid }) => uuid)).size).toBe(1)
  })

  it('leads a domain through its life, and tells of each step', async () => {
    await using subscription = await libvirt.subscribe(['lifecycle'])
    const domain = await libvirt.domainDefineXml({ xml: domainXml('guest') })
    expect(domain).toEqual({ name: 'guest', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(await libvirt.domainLookupByUuid({ uuid: domain.uuid })).toEqual(domain)
    expect(await libvirt.domainGetState({ domain })).toEqual({ state: DomainState.Shutoff, reason: ShutoffReason.Unknown })
    expect(await libvirt.connectListAllDomains({ flags: ListDomainsFlags.Inactive })).toContainEqual(domain)

    const running = await libvirt.domainCreate({ domain })
    expect(running.id).toBeGreaterThan(0)
    expect(await libvirt.domainLookupById({ id: running.id! })).toEqual(running)
    expect(await libvirt.domainGetState({ domain })).toEqual({ state: DomainState.Running, reason: RunningReason.Booted })
    expect(await libvirt.domainGetInfo({ domain })).toMatchObject({
      state: 1,
      maximumMemoryKiB: 65_536,
      memoryKiB: 65_536,
      vcpus: 2,
    })
    expect([await libvirt.domainIsActive({ domain }), await libvirt.domainIsPersistent({ domain })]).toEqual([true, true])
    expect(await libvirt.domainGetXmlDesc({ domain })).toContain(`<uuid>${domain.uuid}</uuid>`)

    await libvirt.domainSuspend({ domain })
    expect((await libvirt.domainGetState({ domain })).state).toBe(DomainState.Paused)
    await libvirt.domainResume({ domain })
    await libvirt.domainShutdown({ domain })
    await libvirt.domainCreate({ domain: { uuid: domain.uuid } })
    await libvirt.domainDestroy({ domain })
    await libvirt.domainUndefine({ domain })
    expect(await lifecycle(subscription, 8)).toEqual([
      'guest: Defined Added',
      'guest: Started Booted',
      'guest: Suspended Paused',
      'guest: Resumed Unpaused',
      'guest: Stopped Shutdown',
      'guest: Started Booted',
      'guest: Stopped Destroyed',
      'guest: Undefined Removed',
    ])
  })

  it('starts a domain that is gone when it stops', async () => {
    const domain = await libvirt.domainCreateXml({ xml: domainXml('transient') })
    expect(await libvirt.domainIsPersistent({ domain })).toBe(false)
    await libvirt.domainDestroy({ domain })
    expect(await rejection(libvirt.domainGetState({ domain }))).toMatchObject({ code: ErrorCode.NoDomain })
  })

  it('keeps autostart and metadata', async () => {
    const domain = await libvirt.domainDefineXml({ xml: domainXml('kept') })
    expect(await libvirt.domainGetAutostart({ domain })).toBe(false)
    await libvirt.domainSetAutostart({ domain, autostart: true })
    expect(await libvirt.domainGetAutostart({ domain })).toBe(true)

    const element = { domain, type: MetadataType.Element, uri: 'http://example.org/x', flags: ModificationImpact.Config }
    expect(await rejection(libvirt.domainGetMetadata(element))).toMatchObject({ code: ErrorCode.NoDomainMetadata })
    await libvirt.domainSetMetadata({ ...element, key: 'x', metadata: "<incarnation number='7'/>" })
    expect(await libvirt.domainGetMetadata(element)).toMatch(/number=.7/)
    await libvirt.domainSetMetadata({ ...element, key: 'x' })
    expect(await rejection(libvirt.domainGetMetadata(element))).toMatchObject({ codeName: 'NoDomainMetadata' })
    await libvirt.domainUndefine({ domain })
  })

  it('gives the statistics of all domains at once', async () => {
    const domain = await libvirt.domainDefineXml({ xml: domainXml('measured') })
    const statistics = await libvirt.connectGetAllDomainStats({ domains: [], groups: StatisticsGroup.State })
    expect(statistics).toContainEqual({ domain, statistics: { 'state.state': DomainState.Shutoff, 'state.reason': 0 } })
    expect(statistics.map(({ domain }) => domain.name).sort()).toEqual(['measured', 'test'])
    expect(await libvirt.connectGetAllDomainStats({ domains: [domain] })).toHaveLength(1)
    await libvirt.domainUndefine({ domain })
  })

  it.each<[string, (connection: LibvirtConnection) => Promise<unknown>, Record<string, unknown>]>([
    [
      'a domain that is not there',
      (c) => c.domainLookupByName({ name: 'none' }),
      { code: ErrorCode.NoDomain, domain: ErrorDomain.Test },
    ],
    ['XML that is none', (c) => c.domainDefineXml({ xml: '<domain' }), { code: ErrorCode.XmlDetail, domain: ErrorDomain.Domain }],
    [
      'XML without what it needs',
      (c) => c.domainDefineXml({ xml: "<domain type='test'/>" }),
      { domain: ErrorDomain.Domain, level: 2 },
    ],
    [
      'destroying what does not run',
      async (c) => {
        const domain = await c.domainDefineXml({ xml: domainXml('idle') })
        return c.domainDestroy({ domain }).finally(() => c.domainUndefine({ domain }))
      },
      { code: ErrorCode.OperationInvalid },
    ],
    [
      'what this hypervisor cannot do',
      async (c) => c.connectGetDomainCapabilities({ virtualizationType: 'kvm' }),
      { name: 'LibvirtError' },
    ],
    [
      'a URI that nobody serves',
      () => connectLibvirt({ transport: unixSocket(libvirtd.socketPath), uri: 'nope:///' }),
      { code: ErrorCode.NoConnect },
    ],
  ])('says with a code what is wrong with %s', async (_what, call, expected) => {
    const error = await rejection(call(libvirt))
    expect(error).toMatchObject({ name: 'LibvirtError', outcome: 'failed', ...expected })
    expect(error.message).not.toBe('')
  })

  it('lets a read-only connection change nothing', async () => {
    await using reader = await connectLibvirt({
      transport: unixSocket(libvirtd.socketPath),
      uri: 'test:///default',
      readOnly: true,
    })
    const domain = await reader.domainLookupByName({ name: 'test' })
    expect(await rejection(reader.domainDestroy({ domain }))).toMatchObject({ code: ErrorCode.OperationDenied })
  })
})

describe('when libvirtd is restarted', () => {
  it('the connection comes back with its subscriptions', async () => {
    await using connection = await connectLibvirt({ transport: unixSocket(libvirtd.socketPath), uri: 'test:///default' })
    await using subscription = await connection.subscribe(['lifecycle'])
    const pid = libvirtd.pid
    await libvirtd.restart()
    expect(libvirtd.pid).not.toBe(pid)
    expect((await subscription.next()).value).toEqual({ kind: 'resync', reason: 'reconnected' })
    await connection.domainDefineXml({ xml: domainXml('after') })
    expect(await lifecycle(subscription, 1)).toEqual(['after: Defined Added'])
  })
})
