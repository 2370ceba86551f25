import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemClock, systemRandom, type ProjectId, type ServerId } from '@nubo/kernel'
import { connectLibvirt, unixSocket, type LibvirtConnection } from '@nubo/node-libvirt'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../testing/eventually.js'
import { startLibvirtHost, type LibvirtHost } from '../testing/libvirt-host.js'
import { prepareTestGuest, qemuProcess, talk } from '../testing/qemu-guests.js'
import { consoleSocketPath } from '../xml/domain-xml.js'
import { openLibvirtHypervisor } from './open-libvirt-hypervisor.js'
import { judgeTrial } from './probe.js'
import { runTrialGuest } from './trial.js'

const waitMs = 120_000
/** Says so in the list of tests where it is skipped. */
const withKvm = existsSync('/dev/kvm') ? it : it.skip

describe('what guests can run on', () => {
  let host: LibvirtHost
  let connection: LibvirtConnection

  beforeAll(async () => {
    host = await startLibvirtHost()
    connection = await connectLibvirt({ transport: unixSocket(host.libvirtd.socketPath) })
  }, waitMs)
  afterAll(async () => {
    await connection?.close()
    await host?.close()
  }, waitMs)

  const options = () => ({ connection, directory: host.directory, clock: systemClock, random: systemRandom })
  const open = (virtType?: 'kvm' | 'qemu') =>
    openLibvirtHypervisor({
      socketPath: host.libvirtd.socketPath,
      uri: 'qemu:///system',
      virtType,
      cpu: { model: 'qemu64' },
      consoleDirectory: join(host.directory, 'consoles'),
      clock: systemClock,
      random: systemRandom,
    })

  it(
    'is tried with a guest that passes where a processor is emulated, and leaves nothing behind',
    async () => {
      expect(await runTrialGuest('qemu', options())).toMatchObject({ state: 'passed' })
      expect((await readdir(host.directory)).filter((name) => name.startsWith('nubo-trial'))).toEqual([])
      expect(await connection.connectListAllDomains()).toEqual([])
    },
    waitMs,
  )

  it(
    'is never KVM without a trial that passed, and says why',
    async () => {
      const hypervisor = await open()
      const { virtType, virtTypeReason } = await hypervisor.describe()
      const trial = await runTrialGuest('kvm', options())
      if (virtType === 'kvm') expect(trial).toMatchObject({ state: 'passed' })
      expect(virtTypeReason).toMatch(/KVM|kvm/)
      await hypervisor.close()
    },
    waitMs,
  )

  it('is what the operator says', async () => {
    const hypervisor = await open('kvm')
    expect(await hypervisor.describe()).toMatchObject({ virtType: 'kvm', virtTypeReason: 'set by the operator' })
    await hypervisor.close()
  })

  withKvm(
    'is KVM itself for a guest that /dev/kvm can carry',
    async () => {
      const hypervisor = await open('kvm')
      const serverId = newId<ServerId>(systemRandom)
      await hypervisor.define({
        serverId,
        projectId: newId<ProjectId>(systemRandom),
        incarnation: 1,
        fencingEpoch: 1,
        name: 'kvm',
        vcpus: 1,
        memoryMiB: 64,
        nics: [],
        ...(await prepareTestGuest(join(host.directory, 'guests'), serverId)),
      })
      await hypervisor.start(serverId)
      expect((await qemuProcess(serverId)).commandLine).toContain('kvm')
      await talk(consoleSocketPath(join(host.directory, 'consoles'), serverId), 'x', 'x')
      await hypervisor.shutdown(serverId)
      await eventually(async () => (await hypervisor.inspect(serverId))?.stopCause === 'guest-shutdown', { withinMs: waitMs })
      await hypervisor.undefine(serverId)
      await hypervisor.close()
    },
    waitMs,
  )
})

describe('judgeTrial', () => {
  it.each([
    [{ state: 'passed', tookMs: 900 } as const, 'kvm', /900 ms/],
    [{ state: 'failed', why: 'it did not begin to run' } as const, 'qemu', /did not begin/],
  ])('of %j', (outcome, virtType, reason) => {
    expect(judgeTrial(outcome)).toEqual({ virtType, reason: expect.stringMatching(reason) })
  })
})
