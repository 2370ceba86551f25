/** What a host's operator says of its networks. */
export interface HostSettings {
  /** Of this host, where other hosts send the frames of VXLANs. */
  underlayAddress: string
  vxlanPort: number
  /** By the name of a physical network, what is on it: a network card for our bridge, or a bridge that the operator made. */
  physicalNetworks: Readonly<Record<string, { device: string } | { bridge: string }>>
  /** Where the programs' files lie; their unprivileged user must be able to pass through it. */
  directory: string
  /** What dnsmasq runs as. */
  dnsmasqUser: string
  /** What names end with where a network says nothing. */
  dnsDomain: string
  /** From here on, ports of the host at which its resolvers for the networks listen, on the networks' uplinks alone. */
  resolverPort: number
  /** The host's port at which the agent serves guests' metadata: reached from the networks' uplinks alone. */
  metadataPort: number
  /** Who tracks connections that cross a bridge: the bridge itself (nf_conntrack_bridge), or IP's tables by br_netfilter. */
  tracking: 'bridge' | 'br_netfilter'
}
