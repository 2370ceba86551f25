import { assert, CloudError, isUuid, type ServerId } from '@nubo/kernel'
import type { BackingFile, GuestDefinition, GuestDisk } from '../guest-definition.js'
import { guestMetadata } from './domain-metadata.js'
import { element, renderXml, type XmlElement } from './element.js'
import { nicElement } from './nic-xml.js'

/**
 * What a guest sees as its processor: the host's own (`host-passthrough`), libvirt's nearest model of it that other hosts
 * can have too (`host-model`), all that the emulator can do (`maximum`), or a model by QEMU's name.
 */
export type CpuChoice = 'host-passthrough' | 'host-model' | 'maximum' | { model: string }

/** What all guests of one host have in common. */
export interface MachineProfile {
  virtType: 'kvm' | 'qemu' | 'test'
  /** `pc`: i440FX with an IDE cdrom, takes devices while running. `q35`: PCI Express with SATA. */
  machine: 'pc' | 'q35'
  cpu: CpuChoice
  /** Directory of the consoles' sockets and logs; libvirt's test driver has none. */
  consoleDirectory?: string
}

/** Derived from the server's id alone, so that nothing a tenant writes is ever a name on the host. */
export function domainName(serverId: ServerId): string {
  return `nubo-${serverId}`
}

export function consoleLogPath(directory: string, serverId: ServerId): string {
  return `${directory}/${serverId}.log`
}

export function consoleSocketPath(directory: string, serverId: ServerId): string {
  return `${directory}/${serverId}.sock`
}

/** libvirt's description of a guest (formatdomain). Throws `Invalid` for what no domain can be. */
export function domainXml(guest: GuestDefinition, profile: MachineProfile): string {
  check(guest)
  return renderXml(
    element(
      'domain',
      { type: profile.virtType },
      element('name', {}, domainName(guest.serverId)),
      element('uuid', {}, guest.serverId),
      element('metadata', {}, guestMetadata(guest)),
      element('memory', { unit: 'MiB' }, String(guest.memoryMiB)),
      element('vcpu', {}, String(guest.vcpus)),
      ...(profile.virtType === 'test' ? testMachine() : machine(guest, profile)),
      // A guest that ends stays off until somebody starts it: whether it should run is not for libvirt to decide.
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, 'destroy'),
      element('devices', {}, ...devices(guest, profile)),
      // The driver's own confinement (AppArmor, SELinux) is the host's to set up; QEMU's user is set in qemu.conf.
      profile.virtType !== 'test' && element('seclabel', { type: 'none' }),
    ),
  )
}

function check(guest: GuestDefinition): void {
  assert(isUuid(guest.serverId), 'a server id is a UUID')
  assert(guest.disks.length <= 26, 'a disk has a letter of its own')
  assert(new Set(guest.nics.map(({ portId }) => portId)).size === guest.nics.length, 'a port is plugged in once')
  if (guest.vcpus < 1 || guest.memoryMiB < 1) throw new CloudError('Invalid', 'A guest needs a processor and memory')
  for (const path of [guest.configDrivePath, ...guest.disks.flatMap((disk) => [disk.path, disk.backing?.path])]) {
    assert(path === undefined || path.startsWith('/'), `'${path}' is an absolute path`)
  }
}

function testMachine(): XmlElement[] {
  return [element('os', {}, element('type', {}, 'hvm'))]
}

function machine(guest: GuestDefinition, { machine, virtType, cpu }: MachineProfile): XmlElement[] {
  return [
    // cloud-init knows an OpenStack guest by its product name; see ds-identify, DMI_PRODUCT_NAME.
    element(
      'sysinfo',
      { type: 'smbios' },
      element(
        'system',
        {},
        element('entry', { name: 'manufacturer' }, 'Nubo'),
        element('entry', { name: 'product' }, 'OpenStack Compute'),
        element('entry', { name: 'uuid' }, guest.serverId),
        element('entry', { name: 'family' }, 'Virtual Machine'),
      ),
    ),
    element(
      'os',
      {},
      element('type', { arch: 'x86_64', machine }, 'hvm'),
      element('boot', { dev: 'hd' }),
      element('smbios', { mode: 'sysinfo' }),
    ),
    element(
      'features',
      {},
      element('acpi'),
      element('apic'),
      // The translated code of an emulated guest would otherwise take up to half of the memory it was given.
      virtType === 'qemu' && element('tcg', {}, element('tb-cache', { unit: 'MiB' }, '32')),
    ),
    cpuElement(cpu),
    element('clock', { offset: 'utc' }, ...(virtType === 'kvm' ? kvmTimers() : [])),
  ]
}

function cpuElement(cpu: CpuChoice): XmlElement {
  if (typeof cpu === 'string') return element('cpu', { mode: cpu })
  return element('cpu', { mode: 'custom', match: 'exact', check: 'none' }, element('model', { fallback: 'forbid' }, cpu.model))
}

/** What Nova sets, and libosinfo advises, for guests whose ticks come late. */
function kvmTimers(): XmlElement[] {
  return [
    element('timer', { name: 'pit', tickpolicy: 'delay' }),
    element('timer', { name: 'rtc', tickpolicy: 'catchup' }),
    element('timer', { name: 'hpet', present: 'no' }),
  ]
}

function devices(guest: GuestDefinition, profile: MachineProfile): XmlElement[] {
  const disks = guest.disks.map((disk, index) => diskElement(disk, index, profile))
  const nics = guest.nics.map((nic) => nicElement(nic, profile.virtType))
  if (profile.virtType === 'test') return [...disks, ...nics]
  return [
    ...disks,
    ...nics,
    ...(guest.configDrivePath === undefined ? [] : [cdromElement(guest.configDrivePath, profile.machine)]),
    ...(profile.consoleDirectory === undefined ? [] : [serialElement(guest.serverId, profile.consoleDirectory)]),
    element('channel', { type: 'unix' }, element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' })),
    element('controller', { type: 'usb', model: 'none' }),
    element('video', {}, element('model', { type: 'none' })),
    element('memballoon', { model: 'virtio' }, element('stats', { period: 10 })),
    element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom')),
  ]
}

function diskElement(disk: GuestDisk, index: number, { virtType }: MachineProfile): XmlElement {
  return element(
    'disk',
    { type: 'file', device: 'disk' },
    element('driver', { name: 'qemu', type: disk.format, cache: 'none', discard: 'unmap' }),
    element('source', { file: disk.path }),
    // Written out to its end, so that QEMU follows no name that stands in a file.
    virtType !== 'test' && backingElement(disk.backing),
    element('target', { dev: `vd${String.fromCharCode(97 + index)}`, bus: 'virtio' }),
    disk.serial !== undefined && element('serial', {}, disk.serial),
  )
}

function backingElement(backing: BackingFile | undefined): XmlElement {
  if (!backing) return element('backingStore')
  return element(
    'backingStore',
    { type: 'file' },
    element('format', { type: backing.format }),
    // It stays its owner's: a QEMU that was taken over must not be able to change what other guests boot from.
    element('source', { file: backing.path }, element('seclabel', { model: 'dac', relabel: 'no' })),
    element('backingStore'),
  )
}

function cdromElement(path: string, machine: MachineProfile['machine']): XmlElement {
  return element(
    'disk',
    { type: 'file', device: 'cdrom' },
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', { file: path }),
    element('backingStore'),
    element('target', machine === 'pc' ? { dev: 'hda', bus: 'ide' } : { dev: 'sda', bus: 'sata' }),
    element('readonly'),
  )
}

/** The socket is for people, the log for the record: libvirt's virtlogd writes it, and keeps it within its limits. */
function serialElement(serverId: ServerId, directory: string): XmlElement {
  return element(
    'serial',
    { type: 'unix' },
    element('source', { mode: 'bind', path: consoleSocketPath(directory, serverId) }),
    element('log', { file: consoleLogPath(directory, serverId), append: 'on' }),
    element('target', { port: 0 }),
  )
}
