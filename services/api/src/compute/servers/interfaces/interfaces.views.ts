import type { ServerAddress, ServerInterface } from '@nubo/database'

export function interfaceView({ portId, networkId, mac, status, tag, fixedIps }: ServerInterface) {
  return { port_id: portId, net_id: networkId, mac_addr: mac, port_state: status, fixed_ips: fixedIps, tag }
}

/** As a server's view has them: by the names of its networks. */
export function addressesView(addresses: readonly ServerAddress[]) {
  return byNetwork(addresses, ({ address, version, type, mac }) => ({
    version,
    addr: address,
    'OS-EXT-IPS:type': type,
    'OS-EXT-IPS-MAC:mac_addr': mac,
  }))
}

/** As /ips has them. */
export function briefAddressesView(addresses: readonly ServerAddress[]) {
  return byNetwork(addresses, ({ address, version }) => ({ version, addr: address }))
}

function byNetwork<View>(addresses: readonly ServerAddress[], view: (address: ServerAddress) => View): Record<string, View[]> {
  const networks = Map.groupBy(addresses, ({ network }) => network)
  return Object.fromEntries([...networks].map(([network, theirs]) => [network, theirs.map(view)]))
}
