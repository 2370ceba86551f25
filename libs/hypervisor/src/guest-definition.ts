import type { PortId, ProjectId, ServerId } from '@nubo/kernel'

export type DiskFormat = 'raw' | 'qcow2'

/** The file that an overlay stands on. It is shared with other guests and never written to. */
export interface BackingFile {
  path: string
  format: DiskFormat
}

export interface GuestDisk {
  path: string
  /** Always named: a guest writes the first bytes of its own disk, so nothing may be read off them. */
  format: DiskFormat
  backing?: BackingFile
  /** Seen by the guest as the disk's serial number; up to 20 letters, digits, `-` and `_`. */
  serial?: string
}

/** A network interface of a guest: a tap that the hypervisor makes, and plugs into a bridge that is there. */
export interface GuestNic {
  portId: PortId
  /** As the guest sees it; in lower case, with colons. */
  mac: string
  /** Told to the guest by its card, and set on the tap. */
  mtu: number
  bridge: string
  /** The name of the tap on the host. */
  device: string
}

/** All that a hypervisor must know to run one guest. */
export interface GuestDefinition {
  serverId: ServerId
  projectId: ProjectId
  /** Of the allocation that this guest stands on. */
  incarnation: number
  /** Of the host at that time. */
  fencingEpoch: number
  /** The tenant's name for it: any text at all. For people who look at the host, and for nothing else. */
  name: string
  vcpus: number
  memoryMiB: number
  /** The first is the one it boots from. */
  disks: readonly GuestDisk[]
  /** An ISO 9660 image, attached as a cdrom so that it does not shift the names of disks. */
  configDrivePath?: string
  /** In the order in which the guest finds them. */
  nics: readonly GuestNic[]
}
