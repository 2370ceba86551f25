import { familyOf } from '../addresses.js'
import type { PortPlan, SubnetPlan } from '../plan.js'
import { leastMtuOfIpv6 } from './segments.js'
import type { ServedNetwork } from './service-link.js'

/** A subnet that is served, with the tag by which its options are known. */
export interface ServedSubnet extends SubnetPlan {
  tag: string
  family: 4 | 6
}

export function servedSubnets({ subnets, mtu }: ServedNetwork): ServedSubnet[] {
  return subnets
    .map((subnet, index) => ({ ...subnet, tag: `s${index}`, family: familyOf(subnet.cidr) }))
    .filter(({ dhcp, family }) => dhcp && (family === 4 || mtu >= leastMtuOfIpv6))
}

export const modeOf = ({ addressMode, raMode }: ServedSubnet) => addressMode ?? raMode
export const isAdvertised = (subnet: ServedSubnet) => subnet.family === 6 && subnet.raMode !== null
export const givesAddresses = (subnet: ServedSubnet) => subnet.family === 4 || modeOf(subnet) === 'dhcpv6-stateful'

/** Of a port's own options. */
export const portTag = ({ portId }: PortPlan) => `p${portId.replaceAll('-', '')}`

/** What a tenant writes goes into files of dnsmasq's only in these letters. */
export const isHostname = (text: string) => /^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/.test(text)

/** Where dnsmasq reads of a host, these are no names but say whether it is served, and for how long. */
export const isOtherWord = (text: string) => /^(ignore|infinite|\d+[smhdw]?)$/i.test(text)
