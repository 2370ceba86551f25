import { familyOf, linkLocalOf, prefixLengthOf, slaacAddressOf, subnetOf } from '../addresses.js'
import { hostNamespace } from '../engine/objects.js'
import type { Piece } from '../engine/piece.js'
import { bridgeName, bridgeOf, edgeOf, insideService, serviceLink, serviceNamespace, uplink } from '../names.js'
import type { Part } from '../part.js'
import type { NetworkPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { leastMtuOfIpv6, neighbourEntries } from './segments.js'

/** A network that has somebody who answers DHCP, DNS and metadata here. */
export type ServedNetwork = NetworkPlan & { service: NonNullable<NetworkPlan['service']> }

export function servedNetworks(networks: readonly NetworkPlan[], settings: HostSettings): ServedNetwork[] {
  return networks.filter(
    (network): network is ServedNetwork => network.service !== null && bridgeOf(network, settings) !== undefined,
  )
}

/** Both ends of the way between a service's namespace and the host: each pair of them is a link of its own. */
export const uplinkAddresses = { host: 'fe80::1', inside: 'fe80::2' } as const

/** Numbers, as nft is asked to list them: which names it lists is up to the machine's `/etc/protocols`, if there is one. */
const protocolNumbers = { tcp: 6, udp: 17 } as const

/** Lets uplinks in to a port of the host: into a set of `inet nubo_uplinks`. All else that comes from there is dropped. */
export function answerOnUplinks(piece: Piece, protocol: keyof typeof protocolNumbers, port: number): void {
  uplinkServices(piece).element(`${protocolNumbers[protocol]} . ${port}`)
}

const uplinkServices = (piece: Piece) =>
  piece.table(hostNamespace, 'inet', 'nubo_uplinks').set('services', { type: 'inet_proto . inet_service' })

/**
 * Where a network's DHCP, DNS and metadata are answered: a namespace with a port on the network's bridge, which has the same
 * MAC and addresses on every host, and with a way to the host that leads no further.
 */
export const serviceLinks: Part = ({ networks }, settings, program) => {
  const served = servedNetworks(networks, settings)
  for (const network of served) program.piece(network.networkId, serviceLinkOf, withoutPorts(network), settings)
  if (served.length > 0) program.piece('services', guardServices)
}

/** The network itself, which stays as it is when ports come and go elsewhere on it. */
function withoutPorts(network: ServedNetwork): ServedNetwork {
  return { ...network, neighbours: nobody, names: nobody }
}

const nobody: never[] = []

function serviceLinkOf(piece: Piece, network: ServedNetwork, settings: HostSettings): void {
  piece.namespace(serviceNamespace(network))
  networkSide(piece, network, settings)
  hostSide(piece, network)
  keepOnHost(piece, network, settings)
}

function networkSide(piece: Piece, network: ServedNetwork, settings: HostSettings): void {
  const [namespace, link] = [serviceNamespace(network), serviceLink(network)]
  const { mtu, service } = network
  const inside = insideService.network
  piece.link({
    ...{ namespace: hostNamespace, name: link, mtu, master: bridgeOf(network, settings)! },
    make: { kind: 'veth', peerNamespace: namespace, peerName: inside },
    port: { learning: false, neighbourSuppression: false },
  })
  piece.link({
    ...{ namespace, name: inside, mac: service.mac, mtu },
    make: { kind: 'peer', ofNamespace: hostNamespace, ofName: link },
  })
  piece.forwarding({ namespace: hostNamespace, link, mac: service.mac })
  piece.setting(namespace, `net/ipv6/conf/${inside}/accept_ra`, '0')
  for (const address of serviceAddresses(network)) piece.address({ namespace, link: inside, address })
  // Asked for on every host, and answered by each: nobody's question leaves its own.
  if (bridgeOf(network, settings) === bridgeName(network)) {
    neighbourEntries(piece, network, service.mac, service.addresses)
  }
}

/** With the lengths of their prefixes. Router advertisements come from an address of the link and tell of the service's own. */
function serviceAddresses({ service, subnets, mtu }: ServedNetwork): string[] {
  const given = service.addresses.flatMap((address) => {
    const subnet = subnetOf(address, subnets)
    return subnet ? [`${address}/${prefixLengthOf(subnet.cidr)}`] : []
  })
  const slaac = subnets
    .filter(({ cidr, dhcp }) => dhcp && familyOf(cidr) === 6 && prefixLengthOf(cidr) === 64)
    .filter(({ cidr }) => !service.addresses.some((address) => subnetOf(address, [{ cidr }])))
    .map(({ cidr }) => `${slaacAddressOf(service.mac, cidr)}/64`)
  const all = [...given, ...slaac, `${linkLocalOf(service.mac)}/64`]
  return mtu < leastMtuOfIpv6 ? all.filter((address) => familyOf(address) === 4) : all
}

function hostSide(piece: Piece, network: ServedNetwork): void {
  const [namespace, link, inside] = [serviceNamespace(network), uplink(network), insideService.uplink]
  piece.link({
    ...{ namespace: hostNamespace, name: link },
    make: { kind: 'veth', peerNamespace: namespace, peerName: inside },
  })
  piece.link({ namespace, name: inside, make: { kind: 'peer', ofNamespace: hostNamespace, ofName: link } })
  piece.address({ namespace: hostNamespace, link, address: `${uplinkAddresses.host}/64` })
  piece.address({ namespace, link: inside, address: `${uplinkAddresses.inside}/64` })
}

/** What the service says, and what is said to it, stays on the host: every host has one with this MAC. */
function keepOnHost(piece: Piece, network: ServedNetwork, settings: HostSettings): void {
  const edge = edgeOf(network, settings)
  if (edge === undefined) return
  const { services, edges } = servicesAtEdges(piece)
  services.element(`${edge} . ${network.service.mac}`)
  edges.element(edge)
}

function servicesAtEdges(piece: Piece) {
  const table = piece.table(hostNamespace, 'bridge', 'nubo_services')
  return {
    table,
    services: table.set('services', { type: 'ifname . ether_addr' }),
    edges: table.set('edges', { type: 'ifname' }),
  }
}

/** Questions for DHCP stay on the host too: each answers its own guests. */
function guardServices(piece: Piece): void {
  servicesAtEdges(piece)
    .table.chain('forward', { type: 'filter', hook: 'forward', priority: -190, policy: 'accept' })
    .rule(
      'oifname . ether saddr @services drop',
      'oifname . ether daddr @services drop',
      'iifname . ether saddr @services drop',
      'iifname . ether daddr @services drop',
      'oifname @edges udp dport { 67, 547 } drop',
    )
  uplinkServices(piece)
  piece
    .table(hostNamespace, 'inet', 'nubo_uplinks')
    .chain('input', { type: 'filter', hook: 'input', priority: -10, policy: 'accept' })
    .rule(
      'iifname != "nudu*" accept',
      'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
      'meta l4proto . th dport @services accept',
      'drop',
    )
}
