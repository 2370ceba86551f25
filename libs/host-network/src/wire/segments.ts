import type { PortId } from '@nubo/kernel'
import { familyOf } from '../addresses.js'
import { everyone, hostNamespace } from '../engine/objects.js'
import type { Piece } from '../engine/piece.js'
import type { ProgramBuilder } from '../engine/program.js'
import { bridgeName, bridgeOf, edgeOf, tapName, vxlanName } from '../names.js'
import type { Part } from '../part.js'
import type { HostPlan, NeighbourPlan, NetworkPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'

/** Below this a link has no IPv6. */
export const leastMtuOfIpv6 = 1_280

/** What the links of a network are made of. */
export type Wire = Pick<NetworkPlan, 'networkId' | 'segment' | 'mtu'>
export const wireOf = ({ networkId, segment, mtu }: NetworkPlan): Wire => ({ networkId, segment, mtu })

/** A bridge for each network, its way to other hosts, and this host's ports on it. */
export const segments: Part = (plan, settings, program) => {
  for (const network of plan.networks) {
    const { networkId, segment, neighbours } = network
    const wire = wireOf(network)
    if (segment.kind === 'vxlan') {
      program.piece(networkId, vxlan, wire, segment.vni, [...new Set(neighbours.map(({ host }) => host))], settings)
      for (const one of neighbours) program.piece(`${networkId} ${one.mac}`, neighbour, wire, segment.vni, one)
    } else {
      const place = bridgeOf(network, settings)
      program.piece(networkId, flat, wire, segment.physicalNetwork, settings)
      if (place !== undefined && place !== bridgeName(network))
        program.piece(place, operatorsBridge, place, segment.physicalNetwork, settings)
    }
  }
  taps(plan, settings, program)
}

function vxlan(piece: Piece, wire: Wire, vni: number, hosts: readonly string[], settings: HostSettings): void {
  bridge(piece, wire, settings)
  const name = vxlanName(vni)
  piece.link({
    namespace: hostNamespace,
    name,
    make: { kind: 'vxlan', vni, local: settings.underlayAddress, port: settings.vxlanPort },
    mtu: wire.mtu,
    master: bridgeName(wire),
    port: { learning: false, neighbourSuppression: true },
  })
  for (const host of hosts) piece.forwarding({ namespace: hostNamespace, link: name, mac: everyone, destination: host })
}

/** A port behind another host. */
function neighbour(piece: Piece, wire: Wire, vni: number, { mac, addresses, host }: NeighbourPlan): void {
  const link = vxlanName(vni)
  piece.forwarding({ namespace: hostNamespace, link, mac, destination: host })
  // The bridge answers for an address only if it knows the MAC's port, and that this one is to be spared questions.
  piece.forwarding({ namespace: hostNamespace, link, mac })
  neighbourEntries(piece, wire, mac, addresses)
}

/** Who has which address: the bridge answers ARP and neighbour solicitations itself, and does not ask the other hosts. */
export function neighbourEntries(piece: Piece, wire: Wire, mac: string, addresses: readonly string[]): void {
  for (const address of addresses) {
    if (familyOf(address) === 6 && wire.mtu < leastMtuOfIpv6) continue
    piece.neighbour({ namespace: hostNamespace, link: bridgeName(wire), address, mac })
  }
}

function flat(piece: Piece, wire: Wire, physicalNetwork: string, settings: HostSettings): void {
  const device = edgeOf(wire, settings)
  if (bridgeOf(wire, settings) === undefined)
    return piece.trouble(`this host has no device on the physical network ${physicalNetwork}`)
  if (device === undefined) return
  needed(piece, device, physicalNetwork)
  bridge(piece, wire, settings)
  piece.link({ namespace: hostNamespace, name: device, make: { kind: 'found' }, up: true, master: bridgeName(wire) })
}

function needed(piece: Piece, device: string, physicalNetwork: string): void {
  piece.need(device, `${device}, which leads to the physical network ${physicalNetwork}, is not there`)
}

/** Many networks may be on it. All that is asked of it is that its packets can be tracked. */
function operatorsBridge(piece: Piece, name: string, physicalNetwork: string, settings: HostSettings): void {
  needed(piece, name, physicalNetwork)
  if (settings.tracking === 'br_netfilter')
    piece.link({ namespace: hostNamespace, name, make: { kind: 'found' }, netfilter: true })
}

function bridge(piece: Piece, wire: Wire, settings: HostSettings): void {
  // A MAC of its own: without, it has that of one of its ports, and another one whenever that goes.
  piece.link({
    namespace: hostNamespace,
    name: bridgeName(wire),
    make: { kind: 'bridge' },
    mac: bridgeMac(wire),
    mtu: wire.mtu,
    ...seenByTables(settings),
  })
}

/** Where bridges cannot track connections, IP's tables do. */
const seenByTables = ({ tracking }: HostSettings) => ({ netfilter: tracking === 'br_netfilter' })

/** Locally administered; nobody speaks to it, because a bridge has no addresses. */
function bridgeMac({ networkId }: Wire): string {
  return `02:${networkId.replaceAll('-', '').slice(0, 10).match(/../g)!.join(':')}`
}

function taps({ networks, ports }: HostPlan, settings: HostSettings, program: ProgramBuilder): void {
  const places = new Map(
    networks.map((network) => [network.networkId, { master: bridgeOf(network, settings), mtu: network.mtu }]),
  )
  for (const { portId, networkId } of ports) {
    const { master, mtu } = places.get(networkId) ?? {}
    if (master !== undefined) program.piece(portId, tap, portId, master, mtu!)
  }
}

/** The hypervisor makes it, and plugs it in: here is said where it belongs when it lost its bridge. */
function tap(piece: Piece, portId: PortId, master: string, mtu: number): void {
  piece.link({ namespace: hostNamespace, name: tapName(portId), make: { kind: 'found' }, mtu, master })
}
