import type { HostId, NetworkId, PortId, ProjectId, RouterId, SecurityGroupId, ServerId } from '@nubo/kernel'

/** A destination's prefix, such as `10.1.0.0/16`, and the address that leads there. */
export interface Route {
  destination: string
  nexthop: string
}

/** IPv6: who gives addresses, as Neutron's ipv6_ra_mode and ipv6_address_mode name it. */
export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

export interface SubnetPlan {
  cidr: string
  gateway: string | null
  dhcp: boolean
  dnsNameservers: readonly string[]
  hostRoutes: readonly Route[]
  raMode: Ipv6Mode | null
  addressMode: Ipv6Mode | null
}

/** A port behind another host. */
export interface NeighbourPlan {
  mac: string
  addresses: readonly string[]
  /** That host's address on the underlay. */
  host: string
}

export type Segment = { kind: 'vxlan'; vni: number } | { kind: 'flat'; physicalNetwork: string }

/** A network of which this host carries a port or a router's interface. */
export interface NetworkPlan {
  networkId: NetworkId
  projectId: ProjectId
  segment: Segment
  mtu: number
  /** What names of its guests end with; empty: the host's default. */
  dnsDomain: string
  subnets: readonly SubnetPlan[]
  /** Answers DHCP, DNS and metadata, on every host with the same MAC and addresses; null where no subnet has DHCP. */
  service: { portId: PortId; mac: string; addresses: readonly string[] } | null
  neighbours: readonly NeighbourPlan[]
  /** Of all guests of the network, wherever they are: what its DNS answers. */
  names: readonly { name: string; addresses: readonly string[] }[]
}

/** A port of a guest on this host. */
export interface PortPlan {
  portId: PortId
  networkId: NetworkId
  projectId: ProjectId
  serverId: ServerId
  mac: string
  addresses: readonly string[]
  adminStateUp: boolean
  /** False: neither groups nor anti-spoofing. */
  portSecurity: boolean
  allowedPairs: readonly { mac: string; prefix: string }[]
  groups: readonly SecurityGroupId[]
  hostname: string | null
  extraDhcpOptions: readonly { name: string; value: string; ipVersion: 4 | 6 }[]
  serverMetadata: Readonly<Record<string, string>>
  /** Of the guest, whichever of its ports it leads to: its first floating IP. */
  publicIpv4: string | null
  /** How many passwords of the guest its owner has cleared: one that was set before counts no more. */
  passwordClears: number
}

export interface RulePlan {
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  /** An IANA number; null is any. */
  protocol: number | null
  /** Ports, or for ICMP type (min) and code (max). */
  portMin: number | null
  portMax: number | null
  remotePrefix: string | null
  remoteGroup: SecurityGroupId | null
}

export interface GroupPlan {
  groupId: SecurityGroupId
  stateful: boolean
  rules: readonly RulePlan[]
  /** Prefixes of its members' addresses, wherever they are: only where a rule on this host names the group. */
  members: readonly string[]
}

/** A router that lives on this host. */
export interface RouterPlan {
  routerId: RouterId
  projectId: ProjectId
  incarnation: number
  adminStateUp: boolean
  gateway: {
    portId: PortId
    networkId: NetworkId
    mac: string
    /** With the length of their prefix. */
    addresses: readonly string[]
    nexthops: readonly string[]
    snat: boolean
  } | null
  interfaces: readonly {
    portId: PortId
    networkId: NetworkId
    mac: string
    addresses: readonly string[]
    advertised: readonly { prefix: string; mode: Ipv6Mode }[]
  }[]
  routes: readonly Route[]
  floatingIps: readonly { address: string; fixedAddress: string }[]
}

/** All that a host's networks are to be: what is not in it is taken away. */
export interface HostPlan {
  hostId: HostId
  revision: number
  networks: readonly NetworkPlan[]
  ports: readonly PortPlan[]
  groups: readonly GroupPlan[]
  routers: readonly RouterPlan[]
}
