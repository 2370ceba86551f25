import type { PortId, RouterId } from '@nubo/kernel'
import type { NetworkPlan } from './plan.js'
import type { HostSettings } from './settings.js'

/**
 * Names of what is made on a host: 15 characters at most. All that begins with `nu`, two letters and one of these tags is
 * ours, and is removed when no plan wants it.
 */
export function networkTag({ networkId, segment }: Pick<NetworkPlan, 'networkId' | 'segment'>): string {
  return segment.kind === 'vxlan' ? String(segment.vni) : `f${hex(networkId).slice(0, 10)}`
}

export const bridgeName = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nubr${networkTag(network)}`
export const vxlanName = (vni: number) => `nuvx${vni}`

/** What guests of the network are plugged into here; undefined where the operator gave the host no way to it. */
export function bridgeOf(network: Pick<NetworkPlan, 'networkId' | 'segment'>, settings: HostSettings): string | undefined {
  if (network.segment.kind === 'vxlan') return bridgeName(network)
  const physical = settings.physicalNetworks[network.segment.physicalNetwork]
  if (!physical) return undefined
  return 'bridge' in physical ? physical.bridge : bridgeName(network)
}

/** The port by which frames of the network leave the host; undefined where that is the operator's business. */
export function edgeOf({ segment }: Pick<NetworkPlan, 'segment'>, settings: HostSettings): string | undefined {
  if (segment.kind === 'vxlan') return vxlanName(segment.vni)
  const physical = settings.physicalNetworks[segment.physicalNetwork]
  return physical && 'device' in physical ? physical.device : undefined
}

/** Where DHCP, DNS and metadata of a network are answered. */
export const serviceNamespace = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nudh${networkTag(network)}`
/** The service's link, on the network's bridge. */
export const serviceLink = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nuds${networkTag(network)}`
/** The host's end of the way out of the service's namespace. */
export const uplink = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `nudu${networkTag(network)}`
/** What both have as their names inside. */
export const insideService = { network: 'net0', uplink: 'up0' } as const

export const routerNamespace = (routerId: RouterId) => `nurt${hex(routerId).slice(0, 8)}`
/** A router's links on the bridges of its networks: to the inside, and to the external one. */
export const routerLink = (portId: PortId) => `nuri${hex(portId).slice(0, 11)}`
export const gatewayLink = (portId: PortId) => `nurg${hex(portId).slice(0, 11)}`
/** The other ends of these, in its namespace. */
export const insideRouter = { gateway: 'gw0', port: (portId: PortId) => `in${hex(portId).slice(0, 11)}` } as const

/** A port's tap: libvirt leaves alone what it does not name itself, which is all but vnet, vif, macvtap and macvlan. */
export const tapName = (portId: PortId) => `nut${hex(portId).slice(0, 11)}`

/** What links of a kind begin with, in nft's words. */
export const linkPatterns = { tap: 'nut*', service: 'nuds*', vxlan: 'nuvx*', routerInside: 'nuri*' } as const

const hex = (id: string) => id.replaceAll('-', '')

/** True for the name of a link that we made: others on the host are left alone. Taps, `nut...`, are the hypervisor's. */
export const isOurs = (name: string) => /^nu(?!t)[a-z]{2}f?[0-9a-f]+$/.test(name)

/** True for the name of a guest's tap. */
export const isTap = (name: string) => /^nut[0-9a-f]{11}$/.test(name)

/** True for the name of a namespace of ours. */
export const isOurNamespace = (name: string) => /^nu(dh|rt)[0-9a-f]+$/.test(name)
