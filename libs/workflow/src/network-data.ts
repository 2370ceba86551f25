import type { GuestAddress, GuestPort } from './records.js'

/**
 * OpenStack's network_data.json, as Nova fills it (nova/virt/netutils.py): the interfaces, their addresses where a guest must
 * set them itself, and the name servers.
 */
export function networkDataOf(ports: readonly GuestPort[]): Record<string, unknown> {
  const addressed = ports.filter(({ addresses }) => addresses.length > 0)
  const networks = addressed.flatMap((port) => port.addresses.map((address) => ({ port, address })))
  const servers = new Set(networks.flatMap(({ address }) => address.dnsNameservers))
  return {
    links: addressed.map(linkOf),
    networks: networks.map(({ port, address }, index) => networkOf(port, address, index)),
    services: [...servers].map(dnsService),
  }
}

/** Nova's name for the tap of a port. */
function linkId({ portId }: GuestPort): string {
  return `tap${portId.slice(0, 11)}`
}

/** Where DHCP tells the MTU, Nova does not. */
function linkOf(port: GuestPort) {
  const toldByDhcp = port.addresses.some(({ dhcp }) => dhcp)
  return {
    id: linkId(port),
    vif_id: port.portId,
    type: 'bridge',
    mtu: toldByDhcp ? null : port.mtu,
    ethernet_mac_address: port.mac,
  }
}

function networkOf(port: GuestPort, address: GuestAddress, index: number) {
  const { ipVersion, addressMode, dhcp, netmask, gateway, routes, dnsNameservers } = address
  const common = { id: `network${index}`, link: linkId(port), network_id: port.networkId }
  if (addressMode === null && dhcp) return { ...common, type: `ipv${ipVersion}_dhcp` }
  return {
    ...common,
    type: addressMode === null ? `ipv${ipVersion}` : `ipv${ipVersion}_${addressMode}`,
    ip_address: address.address,
    netmask,
    routes: [...(gateway === null ? [] : [defaultRoute(ipVersion, gateway)]), ...routes],
    services: dnsNameservers.map(dnsService),
  }
}

function defaultRoute(ipVersion: 4 | 6, gateway: string) {
  const anywhere = ipVersion === 4 ? '0.0.0.0' : '::'
  return { network: anywhere, netmask: anywhere, gateway }
}

function dnsService(address: string) {
  return { type: 'dns', address }
}
