import { hostNamespace } from '../engine/objects.js'
import type { NetworkId } from '@nubo/kernel'
import type { Piece } from '../engine/piece.js'
import type { ProgramBuilder } from '../engine/program.js'
import type { Hook } from '../engine/tables.js'
import { bridgeTable } from '../groups/bridge-table.js'
import { zonesOf } from '../groups/zones.js'
import { insideService, serviceNamespace, uplink } from '../names.js'
import { addCaller } from './callers.js'
import type { Part } from '../part.js'
import type { HostPlan } from '../plan.js'
import { leastMtuOfIpv6, wireOf, type Wire } from '../wire/segments.js'
import { answerOnUplinks, servedNetworks, uplinkAddresses } from '../wire/service-link.js'
import {
  identitiesOf,
  identityPrefix,
  identityPrefixesOf,
  metadataAddress,
  metadataAddress6,
  metadataHost,
  type Identity,
} from './identities.js'

const { network: net, uplink: up } = insideService

const at = (type: Hook['type'], hook: Hook['hook'], priority: number, policy: Hook['policy'] = 'accept'): Hook => ({
  ...{ type, hook, priority, policy },
})

/** The way from each network's service to the one server of this host, and back to who called, by its identity. */
export const metadataWay: Part = (plan, settings, program) => {
  const served = servedNetworks(plan.networks, settings)
  if (served.length === 0) return
  program.piece('metadata', addServer, settings.metadataPort)
  const zones = zonesOf(plan.networks)
  for (const network of served) {
    const { networkId } = network
    program.piece(networkId, addWay, wireOf(network), identityPrefixesOf(network, zones), settings.metadataPort)
  }
  addCallers(plan, new Map(served.map((network) => [network.networkId, wireOf(network)])), program)
}

/** Of the host: that its server is called from uplinks alone. */
function addServer(piece: Piece, metadataPort: number): void {
  answerOnUplinks(piece, 'tcp', metadataPort)
  piece
    .table(hostNamespace, 'inet', 'nubo_metadata')
    .chain('host', at('filter', 'input', -10))
    .rule(`iifname != { "lo", "nudu*" } tcp dport ${metadataPort} drop`)
}

function addWay(piece: Piece, wire: Wire, prefixes: { 4: string; 6: string }, metadataPort: number): void {
  addLinks(piece, wire, prefixes)
  addTables(piece, serviceNamespace(wire), metadataPort)
}

function addLinks(piece: Piece, network: Wire, prefixes: { 4: string; 6: string }): void {
  const [namespace, link] = [serviceNamespace(network), uplink(network)]
  piece.setting(namespace, 'net/ipv4/ip_forward', '1')
  piece.setting(namespace, 'net/ipv6/conf/all/forwarding', '1')
  piece.address({ namespace, link: net, address: `${metadataAddress}/32` })
  if (network.mtu >= leastMtuOfIpv6) piece.address({ namespace, link: net, address: `${metadataAddress6}/64` })
  for (const [family, address] of Object.entries(metadataHost)) {
    piece.address({ namespace: hostNamespace, link, address: `${address}/${family === '4' ? 32 : 128}` })
  }
  const inside = { namespace, link: up }
  piece.address({ ...inside, address: `${nearUplink}/32` })
  piece.route({ ...inside, destination: `${metadataHost[4]}/32`, family: 4 })
  piece.route({ ...inside, destination: `${metadataHost[6]}/128`, family: 6, via: uplinkAddresses.host })
  piece.route({ namespace, link: net, destination: prefixes[4], family: 4 })
  piece.route({ namespace, link: net, destination: prefixes[6], family: 6 })
  const outside = { namespace: hostNamespace, link }
  piece.route({ ...outside, destination: prefixes[4], family: 4, via: nearUplink })
  piece.route({ ...outside, destination: prefixes[6], family: 6, via: uplinkAddresses.inside })
}

function addCallers(plan: HostPlan, served: ReadonlyMap<NetworkId, Wire>, program: ProgramBuilder): void {
  for (const [{ portId, networkId }, identities] of Map.groupBy(identitiesOf(plan), ({ port }) => port)) {
    const wire = served.get(networkId)
    if (wire) program.piece(portId, addCalls, wire, identities)
  }
}

function addCalls(piece: Piece, wire: Wire, identities: readonly Identity[]): void {
  const namespace = serviceNamespace(wire)
  for (const caller of identities) {
    addCaller(bridgeTable(piece), caller)
    if (caller.family === 6 && wire.mtu < leastMtuOfIpv6) continue
    // Nobody answers for an identity: where it is follows from whose it is.
    piece.neighbour({ namespace, link: net, address: caller.identity, mac: caller.port.mac })
  }
}

function addTables(piece: Piece, namespace: string, metadataPort: number): void {
  const call = `iifname "${net}" tcp dport 80`
  piece
    .table(namespace, 'ip', 'nubo_metadata')
    .chain('call', at('nat', 'prerouting', -100))
    .rule(`${call} ip daddr ${metadataAddress} dnat to ${metadataHost[4]}:${metadataPort}`)
  piece
    .table(namespace, 'ip6', 'nubo_metadata')
    .chain('call', at('nat', 'prerouting', -100))
    .rule(`${call} ip6 daddr ${metadataAddress6} dnat to [${metadataHost[6]}]:${metadataPort}`)
  // What is routed here is calls and their answers. A guest that takes this for a router gets nowhere.
  piece
    .table(namespace, 'inet', 'nubo_metadata')
    .chain('forward', at('filter', 'forward', 0, 'drop'))
    .rule(
      `iifname "${net}" oifname "${up}" ip saddr ${identityPrefix[4]} ip daddr ${metadataHost[4]} tcp dport ${metadataPort} accept`,
      `iifname "${net}" oifname "${up}" ip6 saddr ${identityPrefix[6]} ip6 daddr ${metadataHost[6]} tcp dport ${metadataPort} accept`,
      `iifname "${up}" oifname "${net}" ct state established accept`,
    )
}

/** In each service's namespace: what the host sends answers to. */
const nearUplink = '240.0.0.2'
