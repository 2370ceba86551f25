import type { PortId } from '@nubo/kernel'
import type { HostPlan, NetworkPlan, PortPlan, SubnetPlan } from '../plan.js'
import { emptyPlan, networkOf, portOf } from './plans.js'

const byte = (number: number) => (number & 255).toString(16).padStart(2, '0')

export function subnetOf(more: Partial<SubnetPlan> = {}): SubnetPlan {
  return {
    ...{ cidr: '10.0.0.0/24', gateway: '10.0.0.1', dhcp: true, dnsNameservers: [], hostRoutes: [] },
    ...{ raMode: null, addressMode: null },
    ...more,
  }
}

/** A network of VXLAN `vni` with 10.0.0.0/24, whose DHCP is at 10.0.0.2. */
export function servedNetwork(vni: number, more: Partial<NetworkPlan> = {}): NetworkPlan {
  const portId = `4e4e4e4e-0000-4000-8000-${vni.toString(16).padStart(12, '0')}` as PortId
  const service = { portId, mac: `fa:16:3f:${byte(vni >> 8)}:${byte(vni)}:02`, addresses: ['10.0.0.2'] }
  return networkOf(vni, { subnets: [subnetOf()], service, ...more })
}

/** The port of a network's guest `number`, which is also the last byte of its address. */
export function guestPort(network: NetworkPlan, number: number, more: Partial<PortPlan> = {}): PortPlan {
  const vni = network.segment.kind === 'vxlan' ? network.segment.vni : 0
  const own = {
    mac: `fa:16:3e:${byte(vni)}:${byte(number >> 8)}:${byte(number)}`,
    addresses: [`10.0.0.${number}`],
    portSecurity: false,
  }
  return portOf(network, vni * 256 + number, { ...own, hostname: `guest-${number}`, ...more })
}

export const planOf = (networks: readonly NetworkPlan[], ports: readonly PortPlan[], revision = 1): HostPlan => ({
  ...emptyPlan,
  revision,
  networks,
  ports,
})

/** What another host knows of a port. */
export const neighbourOf = ({ mac, addresses }: PortPlan, host: string) => ({ mac, addresses, host })
