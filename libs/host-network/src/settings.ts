/** What a host's operator says of its networks. */
export interface HostSettings {
  /** Of this host, where other hosts send the frames of VXLANs. */
  underlayAddress: string
  vxlanPort: number
  /** By the name of a physical network, the device that is on it: a network card, or a bridge that the operator made. */
  physicalNetworks: Readonly<Record<string, string>>
  /** Where the programs' files lie; their unprivileged user must be able to pass through it. */
  directory: string
  /** What dnsmasq runs as. */
  dnsmasqUser: string
  /** What names end with where a network says nothing. */
  dnsDomain: string
}
