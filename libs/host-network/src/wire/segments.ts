import { familyOf } from '../addresses.js'
import { everyone, hostNamespace } from '../engine/objects.js'
import type { ProgramBuilder } from '../engine/program.js'
import { bridgeName, bridgeOf, edgeOf, tapName, vxlanName } from '../names.js'
import type { Part } from '../part.js'
import type { HostPlan, NetworkPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'

/** Below this a link has no IPv6. */
export const leastMtuOfIpv6 = 1_280

/** A bridge for each network, its way to other hosts, and this host's ports on it. */
export const segments: Part = (plan, settings, program) => {
  for (const network of plan.networks) {
    if (network.segment.kind === 'vxlan') vxlan(network, network.segment.vni, settings, program)
    else flat(network, settings, program)
  }
  taps(plan, settings, program)
}

function vxlan(network: NetworkPlan, vni: number, settings: HostSettings, program: ProgramBuilder): void {
  const { mtu, neighbours } = network
  bridge(network, settings, program)
  const name = vxlanName(vni)
  program.link({
    namespace: hostNamespace,
    name,
    make: { kind: 'vxlan', vni, local: settings.underlayAddress, port: settings.vxlanPort },
    mtu,
    master: bridgeName(network),
    port: { learning: false, neighbourSuppression: true },
  })
  for (const host of new Set(neighbours.map((neighbour) => neighbour.host))) {
    program.forwarding({ namespace: hostNamespace, link: name, mac: everyone, destination: host })
  }
  for (const { mac, addresses, host } of neighbours) {
    program.forwarding({ namespace: hostNamespace, link: name, mac, destination: host })
    // The bridge answers for an address only if it knows the MAC's port, and that this one is to be spared questions.
    program.forwarding({ namespace: hostNamespace, link: name, mac })
    neighbourEntries(network, mac, addresses, program)
  }
}

/** Who has which address: the bridge answers ARP and neighbour solicitations itself, and does not ask the other hosts. */
export function neighbourEntries(network: NetworkPlan, mac: string, addresses: readonly string[], program: ProgramBuilder): void {
  for (const address of addresses) {
    if (familyOf(address) === 6 && network.mtu < leastMtuOfIpv6) continue
    program.neighbour({ namespace: hostNamespace, link: bridgeName(network), address, mac })
  }
}

function flat(network: NetworkPlan, settings: HostSettings, program: ProgramBuilder): void {
  const { physicalNetwork } = network.segment as Extract<NetworkPlan['segment'], { kind: 'flat' }>
  const place = bridgeOf(network, settings)
  if (place === undefined) return program.trouble(`this host has no device on the physical network ${physicalNetwork}`)
  const device = edgeOf(network, settings)
  const theirs = device ?? place
  program.need(theirs, `${theirs}, which leads to the physical network ${physicalNetwork}, is not there`)
  if (device === undefined) return operatorsBridge(place, settings, program)
  bridge(network, settings, program)
  program.link({ namespace: hostNamespace, name: device, make: { kind: 'found' }, up: true, master: bridgeName(network) })
}

/** The operator's: all that is asked of it is that its packets can be tracked. */
function operatorsBridge(name: string, settings: HostSettings, program: ProgramBuilder): void {
  if (settings.tracking === 'br_netfilter')
    program.link({ namespace: hostNamespace, name, make: { kind: 'found' }, netfilter: true })
}

function bridge(network: NetworkPlan, settings: HostSettings, program: ProgramBuilder): void {
  const name = bridgeName(network)
  // One of its own: without, it has that of one of its ports, and another one whenever that goes.
  program.link({
    namespace: hostNamespace,
    name,
    make: { kind: 'bridge' },
    mac: bridgeMac(network),
    mtu: network.mtu,
    ...seenByTables(settings),
  })
}

/** Where bridges cannot track connections, IP's tables do. */
const seenByTables = ({ tracking }: HostSettings) => ({ netfilter: tracking === 'br_netfilter' })

/** Locally administered; nobody speaks to it, because a bridge has no addresses. */
function bridgeMac({ networkId }: NetworkPlan): string {
  return `02:${networkId.replaceAll('-', '').slice(0, 10).match(/../g)!.join(':')}`
}

/** The hypervisor makes them, and plugs them in: here is said where one belongs that lost its bridge. */
function taps({ networks, ports }: HostPlan, settings: HostSettings, program: ProgramBuilder): void {
  const byId = new Map(networks.map((network) => [network.networkId, network]))
  for (const { portId, networkId } of ports) {
    const network = byId.get(networkId)
    const master = network && bridgeOf(network, settings)
    if (!network || master === undefined) continue
    program.link({ namespace: hostNamespace, name: tapName(portId), make: { kind: 'found' }, mtu: network.mtu, master })
  }
}
