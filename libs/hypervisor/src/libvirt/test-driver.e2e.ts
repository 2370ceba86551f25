import { systemClock, systemRandom } from '@nubo/kernel'
import { connectLibvirt, unixSocket } from '@nubo/node-libvirt'
import { startPrivateLibvirtd } from '@nubo/node-libvirt/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeHypervisor } from '../testing/conformance.js'
import { cuttableSocket } from '../testing/cuttable-socket.js'
import { testNic } from '../testing/test-nic.js'
import { openLibvirtHypervisor } from './open-libvirt-hypervisor.js'

describeHypervisor("libvirt's test driver", async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nubo-hv-'))
  const libvirtd = await startPrivateLibvirtd({ directory })
  const uri = 'test:///default'
  // It holds the driver's memory, which lives no longer than the last connection, and is everybody else on the host.
  const other = await connectLibvirt({ transport: unixSocket(libvirtd.socketPath), uri })
  const socket = await cuttableSocket(join(directory, 'cuttable'), libvirtd.socketPath)
  const hypervisor = await openLibvirtHypervisor({
    socketPath: socket.path,
    uri,
    consoleDirectory: directory,
    clock: systemClock,
    random: systemRandom,
  })
  return {
    hypervisor,
    prepareGuest: async () => ({ disks: [{ path: '/nowhere/disk', format: 'qcow2' as const }] }),
    booted: async () => {},
    prepareNic: async () => testNic(),
    powerOffFromInside: (serverId) => other.domainShutdown({ domain: { uuid: serverId } }),
    destroyFromElsewhere: (serverId) => other.domainDestroy({ domain: { uuid: serverId } }),
    async interrupt(meanwhile) {
      socket.cut()
      await meanwhile()
      socket.mend()
    },
    greeting: '',
    tellsReboots: false,
    async close() {
      await hypervisor.close()
      await other.close()
      await socket.close()
      await libvirtd.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
