import type { ServerId } from '@nubo/kernel'
import {
  DomainState,
  LifecycleEventDetail,
  LifecycleEventType,
  nameOf,
  ShutoffReason,
  type DomainEvent,
} from '@nubo/node-libvirt'
import type { HypervisorEvent, PowerState, StopCause } from '../hypervisor.js'

const { Shutdown, Stopped, Suspended } = LifecycleEventDetail

/** Nova's reading of libvirt's states: a guest on its way down still runs. */
const powerStates: Record<number, PowerState> = {
  [DomainState.Running]: 'running',
  [DomainState.Blocked]: 'running',
  [DomainState.Paused]: 'paused',
  [DomainState.ShuttingDown]: 'running',
  [DomainState.Shutoff]: 'shutdown',
  [DomainState.Crashed]: 'crashed',
  [DomainState.PowerManagementSuspended]: 'suspended',
}

export function powerStateOf(state: number): PowerState {
  return powerStates[state] ?? 'unknown'
}

const causesByReason: Record<number, StopCause> = {
  [ShutoffReason.Shutdown]: 'guest-shutdown',
  [ShutoffReason.Destroyed]: 'destroyed',
  // libvirt remembers the same of a guest that panicked and of one whose process went away. Ours have no panic device.
  [ShutoffReason.Crashed]: 'killed',
  [ShutoffReason.Failed]: 'crashed',
}

/** Why a domain is off, by what libvirt remembers of it. */
export function stopCauseOf(reason: number): StopCause {
  return causesByReason[reason] ?? 'unknown'
}

const causesByDetail: Record<number, StopCause> = {
  [Stopped.Shutdown]: 'guest-shutdown',
  [Stopped.Destroyed]: 'destroyed',
  [Stopped.Crashed]: 'crashed',
  // QEMU's monitor closed and QEMU had said nothing before: its process is gone (processMonitorEOFEvent).
  [Stopped.Failed]: 'killed',
}

/** Turns libvirt's events into ours. Some only make sense together, so it remembers what came before. */
export class LifecycleReader {
  /** QEMU said that it ends because the host wants it to: it was sent a signal. */
  private readonly endedByHost = new Set<string>()

  read(serverId: ServerId, event: DomainEvent<'lifecycle' | 'reboot'>): HypervisorEvent | undefined {
    if (event.kind === 'reboot') return { kind: 'rebooted', serverId }
    switch (event.type) {
      case LifecycleEventType.Started:
        this.endedByHost.delete(serverId)
        return { kind: 'started', serverId }
      case LifecycleEventType.Suspended:
        return { kind: 'paused', serverId, detail: pauseDetail(event.detail) }
      case LifecycleEventType.Resumed:
        return { kind: 'resumed', serverId }
      case LifecycleEventType.Shutdown:
        if (event.detail === Shutdown.Host) this.endedByHost.add(serverId)
        return undefined
      case LifecycleEventType.Stopped:
        return this.stopped(serverId, event.detail)
      default:
        return undefined
    }
  }

  private stopped(serverId: ServerId, detail: number): HypervisorEvent {
    if (this.endedByHost.delete(serverId) && detail === Stopped.Shutdown) {
      return { kind: 'stopped', serverId, cause: 'killed', detail: 'its process was told to end by a signal' }
    }
    const cause = causesByDetail[detail] ?? 'unknown'
    return { kind: 'stopped', serverId, cause, detail: stopDetails[cause] ?? `libvirt says: ${nameOf(Stopped, detail)}` }
  }
}

const stopDetails: Partial<Record<StopCause, string>> = {
  'guest-shutdown': 'it powered itself off',
  destroyed: 'its plug was pulled through libvirt',
  crashed: 'it crashed',
  killed: 'its process ended without a word',
}

function pauseDetail(detail: number): string {
  if (detail === Suspended.IoError) return 'its disk could not be written; the host may be out of space'
  return `libvirt says: ${nameOf(Suspended, detail)}`
}
