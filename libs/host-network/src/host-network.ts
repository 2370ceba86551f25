import type { NetworkId, PortId } from '@nubo/kernel'
import type { HostPlan } from './plan.js'

/** What carried the plan, and what of it could not be done. */
export interface Applied {
  revision: number
  /** For a person: what is missing, and why; undefined where the host is as the plan says. */
  trouble?: string
  /** The networks that the trouble is about; undefined where it may be about any. All others are as the plan says. */
  troubled?: readonly NetworkId[]
  /** For a person: what works, and worse than it could. */
  warning?: string
}

/** How a guest's network interface is plugged in: a tap of this name, made by the hypervisor, on this bridge. */
export interface Plug {
  bridge: string
  device: string
}

/**
 * The networks of one host. Guests go on as they are while nobody calls: nothing of this needs our process to live.
 *
 * `apply` works by difference: what is as it should be is not touched, so a second time it changes nothing, and a change of
 * one port never disturbs another. What was lost (a reboot, a kill) is made again, what is left over is removed.
 */
export interface HostNetwork {
  /** Makes the host's networks what the plan says. Calls are made one after another; rejects only for what is a bug. */
  apply(plan: HostPlan): Promise<Applied>
  /** Where the port is plugged in; undefined while no applied plan has it. Its filters are in force before it is told. */
  plug(port: PortId): Plug | undefined
  /** Looks the host over and mends what is not as the newest applied plan says. */
  mend(): Promise<Applied>
  close(): Promise<void>
}
