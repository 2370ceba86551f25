import type { PortId, ProjectId, ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic } from './guest-definition.js'

/** How guests run: on the processor's own virtualization, emulated, or not at all. */
export type VirtType = 'kvm' | 'qemu' | 'test' | 'simulated'

/** What this host can run, and is. */
export interface HypervisorDescription {
  /** `QEMU`, `Test`, `Simulated`. */
  hypervisorType: string
  /** Major * 1,000,000 + minor * 1,000 + release, as libvirt counts. */
  hypervisorVersion: number
  hostName: string
  /** As `uname -m` says it. */
  architecture: string
  virtType: VirtType
  /** Why this one and no other: for a person. */
  virtTypeReason: string
  cpus: number
  memoryMiB: number
  /** Vendor, model, features, topology: for showing only. */
  cpuInfo: Record<string, unknown>
}

export type PowerState = 'running' | 'paused' | 'suspended' | 'shutdown' | 'crashed' | 'unknown'

/**
 * How a guest came to be off:
 * - `guest-shutdown`: it powered itself off, asked to or not.
 * - `destroyed`: somebody pulled the plug through the hypervisor.
 * - `crashed`: the guest, or its emulator, failed.
 * - `killed`: its process was ended from outside.
 */
export type StopCause = 'guest-shutdown' | 'destroyed' | 'crashed' | 'killed' | 'unknown'

/** What was stamped into a guest when it was defined, and is read back from the hypervisor itself. */
export interface GuestStamp {
  serverId: ServerId
  projectId: ProjectId
  incarnation: number
  fencingEpoch: number
}

/** A guest as the hypervisor has it now. */
export interface Guest extends GuestStamp {
  powerState: PowerState
  /** Present while it is off, if the hypervisor remembers. */
  stopCause?: StopCause
}

/** Counters grow from the guest's start. */
export interface GuestStatistics {
  serverId: ServerId
  cpuTimeNs: bigint
  /** Resident memory of its process. */
  memoryMiB: number
  diskReadBytes: bigint
  diskWrittenBytes: bigint
}

export type HypervisorEvent =
  | { kind: 'started'; serverId: ServerId }
  | { kind: 'stopped'; serverId: ServerId; cause: StopCause; detail: string }
  | { kind: 'paused'; serverId: ServerId; detail: string }
  | { kind: 'resumed'; serverId: ServerId }
  /** The guest restarted itself, or was restarted. */
  | { kind: 'rebooted'; serverId: ServerId }
  /** Nothing is known of any guest until `reconnected`. */
  | { kind: 'disconnected'; detail: string }
  /** Events were missed: only `list` tells what happened meanwhile. */
  | { kind: 'reconnected' }

export interface Watch {
  stop(): void
}

/**
 * What runs guests on one host. A guest belongs to Nubo if it carries our stamp; all others are neither listed nor touched.
 *
 * Every verb may be repeated: what is already so is not an error. A verb that finds no such guest rejects with `NotFound`
 * (`powerOff` and `undefine` resolve). One that the hypervisor refused rejects with `Conflict`, or `Invalid` where the
 * definition itself is at fault. `Unavailable` means that the outcome is unknown: inspect before anything else is tried.
 *
 * Two calls about the same guest must not overlap: that is the caller's to see to.
 */
export interface Hypervisor {
  describe(): Promise<HypervisorDescription>
  /** Makes the guest known, off. One that is known already takes the new definition at its next start. */
  define(guest: GuestDefinition): Promise<void>
  /** Resolves when its processors run. */
  start(serverId: ServerId): Promise<void>
  /** Presses the power button; resolves when it is pressed, not when the guest has obeyed. */
  shutdown(serverId: ServerId): Promise<void>
  /** Asks the guest to restart itself; resolves when it was asked. The event `rebooted` tells that it did. */
  reboot(serverId: ServerId): Promise<void>
  /** Presses the reset button. */
  reset(serverId: ServerId): Promise<void>
  /** Pulls the plug. */
  powerOff(serverId: ServerId): Promise<void>
  /** Forgets a guest that is off, with its console. Rejects with `Conflict` while it runs. */
  undefine(serverId: ServerId): Promise<void>
  /** Plugs an interface into the guest, now and for its next starts. */
  attachNic(serverId: ServerId, nic: GuestNic): Promise<void>
  /**
   * Takes an interface off the guest, now and for its next starts; resolves when the guest has let go of it, and too where it
   * has no such interface. `Unavailable` where a guest that runs has not let go yet: one that boots hears nothing, so ask again.
   */
  detachNic(serverId: ServerId, portId: PortId): Promise<void>
  /** The interfaces as the guest has them, or, while it is off, as it will start with them. */
  nics(serverId: ServerId): Promise<GuestNic[]>
  /** Rejects with `Conflict` for a guest that has lost its stamp: it is there, but its incarnation is not known. */
  inspect(serverId: ServerId): Promise<Guest | undefined>
  list(): Promise<Guest[]>
  /** Of every guest that runs. */
  statistics(): Promise<GuestStatistics[]>
  /** The last `maximumBytes` of what the guest wrote to its serial console; kept over restarts, of bounded size. */
  consoleOutput(serverId: ServerId, maximumBytes: number): Promise<Buffer>
  watch(listener: (event: HypervisorEvent) => void): Watch
  close(): Promise<void>
}
