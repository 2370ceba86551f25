import type { Clock, Random } from '@nubo/kernel'
import { connectLibvirt, unixSocket, type LibvirtConnection } from '@nubo/node-libvirt'
import type { Hypervisor } from '../hypervisor.js'
import type { CpuChoice, MachineProfile } from '../xml/domain-xml.js'
import { DomainNics } from './domain-nics.js'
import { describeHost } from './host-description.js'
import { LibvirtHypervisor, watchedEvents } from './libvirt-hypervisor.js'
import { probeVirtType } from './probe.js'
import { asCloudError } from './refusal.js'

export interface LibvirtHypervisorOptions {
  /** libvirtd's unix socket. */
  socketPath: string
  /** `qemu:///system`, or `test:///default` for libvirt's own fake. */
  uri: string
  /** What guests run on, where the operator knows better than a trial; for a test URI always `test`. */
  virtType?: 'kvm' | 'qemu'
  machine?: 'pc' | 'q35'
  /** Default: `host-model` under KVM, `maximum` where the processor is emulated. */
  cpu?: CpuChoice
  /**
   * An existing directory for the consoles' sockets and logs, that QEMU's user can write to. The logs stay small because
   * virtlogd writes them (`stdio_handler = "logd"` in qemu.conf; `max_size`, `max_backups` in virtlogd.conf).
   */
  consoleDirectory: string
  /** What one call to libvirt may take. A definition is written through to the disk, which may be busy. Default: 30 s. */
  callTimeoutMs?: number
  clock: Clock
  random: Random
}

/** Connects to libvirt, finds out what guests can run on, and keeps the connection. Rejects with `Unavailable`. */
export async function openLibvirtHypervisor(options: LibvirtHypervisorOptions): Promise<Hypervisor> {
  const { clock, random, socketPath, uri, callTimeoutMs } = options
  try {
    const connection = await connectLibvirt({
      transport: unixSocket(socketPath),
      uri,
      clock,
      random: () => random.fraction(),
      ...(callTimeoutMs !== undefined && { timeoutMs: callTimeoutMs }),
    })
    const events = await connection.subscribe(watchedEvents)
    const { guestTypes, ...facts } = await describeHost(connection)
    const { virtType, reason } = await chooseVirtType(options, connection, guestTypes)
    const profile: MachineProfile =
      virtType === 'test'
        ? { virtType, machine: 'pc', cpu: 'host-model' }
        : {
            virtType,
            machine: options.machine ?? 'pc',
            cpu: options.cpu ?? (virtType === 'kvm' ? 'host-model' : 'maximum'),
            consoleDirectory: options.consoleDirectory,
          }
    const nics = new DomainNics(connection, virtType, clock)
    return new LibvirtHypervisor(connection, events, { ...facts, virtType, virtTypeReason: reason }, profile, nics)
  } catch (error) {
    throw asCloudError(error, `libvirt at ${socketPath} cannot be used`)
  }
}

async function chooseVirtType(
  { uri, virtType, consoleDirectory, clock, random }: LibvirtHypervisorOptions,
  connection: LibvirtConnection,
  guestTypes: readonly string[],
): Promise<{ virtType: 'kvm' | 'qemu' | 'test'; reason: string }> {
  if (uri.startsWith('test:')) return { virtType: 'test', reason: "libvirt's test driver was asked for: nothing really runs" }
  if (virtType) return { virtType, reason: 'set by the operator' }
  return probeVirtType({ connection, guestTypes, directory: consoleDirectory, clock, random })
}
