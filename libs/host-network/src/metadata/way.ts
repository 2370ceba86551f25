import { hostNamespace } from '../engine/objects.js'
import type { ProgramBuilder } from '../engine/program.js'
import type { Hook } from '../engine/tables.js'
import { zonesOf } from '../groups/zones.js'
import { insideService, serviceNamespace, uplink } from '../names.js'
import type { Part } from '../part.js'
import type { HostSettings } from '../settings.js'
import { leastMtuOfIpv6 } from '../wire/segments.js'
import { answerOnUplinks, servedNetworks, uplinkAddresses, type ServedNetwork } from '../wire/service-link.js'
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
  const zones = zonesOf(plan.networks)
  const callers = Map.groupBy(identitiesOf(plan), ({ port }) => port.networkId)
  for (const network of served) {
    const prefixes = identityPrefixesOf(network, zones)
    addLinks(network, prefixes, program)
    addCallers(network, callers.get(network.networkId) ?? [], program)
    addTables(serviceNamespace(network), settings, program)
  }
  answerOnUplinks(program, 'tcp', settings.metadataPort)
  program
    .table(hostNamespace, 'inet', 'nubo_metadata')
    .chain('host', at('filter', 'input', -10))
    .rule(`iifname != { "lo", "nudu*" } tcp dport ${settings.metadataPort} drop`)
}

function addLinks(network: ServedNetwork, prefixes: { 4: string; 6: string }, program: ProgramBuilder): void {
  const [namespace, link] = [serviceNamespace(network), uplink(network)]
  program.setting(namespace, 'net/ipv4/ip_forward', '1')
  program.setting(namespace, 'net/ipv6/conf/all/forwarding', '1')
  program.address({ namespace, link: net, address: `${metadataAddress}/32` })
  if (network.mtu >= leastMtuOfIpv6) program.address({ namespace, link: net, address: `${metadataAddress6}/64` })
  for (const [family, address] of Object.entries(metadataHost)) {
    program.address({ namespace: hostNamespace, link, address: `${address}/${family === '4' ? 32 : 128}` })
  }
  const inside = { namespace, link: up }
  program.address({ ...inside, address: `${nearUplink}/32` })
  program.route({ ...inside, destination: `${metadataHost[4]}/32`, family: 4 })
  program.route({ ...inside, destination: `${metadataHost[6]}/128`, family: 6, via: uplinkAddresses.host })
  program.route({ namespace, link: net, destination: prefixes[4], family: 4 })
  program.route({ namespace, link: net, destination: prefixes[6], family: 6 })
  const outside = { namespace: hostNamespace, link }
  program.route({ ...outside, destination: prefixes[4], family: 4, via: nearUplink })
  program.route({ ...outside, destination: prefixes[6], family: 6, via: uplinkAddresses.inside })
}

/** Nobody answers for an identity: where it is follows from whose it is. */
function addCallers(network: ServedNetwork, callers: readonly Identity[], program: ProgramBuilder): void {
  const namespace = serviceNamespace(network)
  for (const { identity, family, port } of callers) {
    if (family === 6 && network.mtu < leastMtuOfIpv6) continue
    program.neighbour({ namespace, link: net, address: identity, mac: port.mac })
  }
}

function addTables(namespace: string, { metadataPort }: HostSettings, program: ProgramBuilder): void {
  const call = `iifname "${net}" tcp dport 80`
  program
    .table(namespace, 'ip', 'nubo_metadata')
    .chain('call', at('nat', 'prerouting', -100))
    .rule(`${call} ip daddr ${metadataAddress} dnat to ${metadataHost[4]}:${metadataPort}`)
  program
    .table(namespace, 'ip6', 'nubo_metadata')
    .chain('call', at('nat', 'prerouting', -100))
    .rule(`${call} ip6 daddr ${metadataAddress6} dnat to [${metadataHost[6]}]:${metadataPort}`)
  // What is routed here is calls and their answers. A guest that takes this for a router gets nowhere.
  program
    .table(namespace, 'inet', 'nubo_metadata')
    .chain('forward', at('filter', 'forward', 0, 'drop'))
    .rule(
      `iifname "${net}" oifname "${up}" ip saddr ${identityPrefix} ip daddr ${metadataHost[4]} tcp dport ${metadataPort} accept`,
      `iifname "${net}" oifname "${up}" ip6 daddr ${metadataHost[6]} tcp dport ${metadataPort} accept`,
      `iifname "${up}" oifname "${net}" ct state established accept`,
    )
}

/** In each service's namespace: what the host sends answers to. */
const nearUplink = '240.0.0.2'
