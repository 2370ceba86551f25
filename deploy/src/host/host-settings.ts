import type { Underlay } from './network.js'
import type { Outside } from './outside.js'

/** All that a KVM host is made from. */
export interface HostSettings {
  name: string
  /** libvirt's host UUID; unique, and the same after every start. */
  uuid: string
  /** What the host keeps: guests, images, libvirt's records. */
  directory: string
  /** Where it logs. */
  logDirectory: string
  /** The path under /run at which the host itself and the machine know `directory`: short, and open to QEMU's user. */
  runtimeDirectory: string
  /** The clone, whose data the host must not see, and the path under /run at which the host sees its code. */
  clone: string
  codeDirectory: string
  /** Further folders that the host sees, read-only, at a path under /run. */
  readOnly: readonly { source: string; target: string }[]
  underlay: Underlay
  address: string
  outside: Outside
  /** The network devices on the machine's side of the host's cables: to the underlay, and to the outside. */
  device: string
  outsideDevice: string
  /** The host's control group, relative to the root of the hierarchy, and its share of memory. */
  cgroup: string
  memoryMiB: number
}
