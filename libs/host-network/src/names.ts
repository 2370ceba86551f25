import type { PortId } from '@nubo/kernel'
import type { NetworkPlan } from './plan.js'

/**
 * Names of what is made on a host: 15 characters at most. All that begins with `nu`, two letters and one of these tags is
 * ours, and is removed when no plan wants it.
 */
export function networkTag({ networkId, segment }: Pick<NetworkPlan, 'networkId' | 'segment'>): string {
  return segment.kind === 'vxlan' ? String(segment.vni) : `f${hex(networkId).slice(0, 10)}`
}

export const bridgeName = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nubr${networkTag(network)}`
export const vxlanName = (vni: number) => `nuvx${vni}`
/** Where DHCP, DNS and metadata of a network are answered. */
export const serviceNamespace = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nudh${networkTag(network)}`
/** The service's link, on the network's bridge. */
export const serviceLink = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nuds${networkTag(network)}`
/** The host's end of the way out of the service's namespace. */
export const uplink = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nudu${networkTag(network)}`
/** What both have as their names inside. */
export const insideService = { network: 'net0', uplink: 'up0' } as const

/** A port's tap: libvirt leaves alone what it does not name itself, which is all but vnet, vif, macvtap and macvlan. */
export const tapName = (portId: PortId) => `nut${hex(portId).slice(0, 11)}`

const hex = (id: string) => id.replaceAll('-', '')
