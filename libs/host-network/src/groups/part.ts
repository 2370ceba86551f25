import type { SecurityGroupId } from '@nubo/kernel'
import { familyOf } from '../addresses.js'
import type { Piece, TableBuilder } from '../engine/piece.js'
import { addAnswers, addRequests, requestChain } from '../metadata/callers.js'
import { tapName } from '../names.js'
import type { Part } from '../part.js'
import type { GroupPlan, NetworkPlan, PortPlan } from '../plan.js'
import { disjoint } from '../prefixes.js'
import type { HostSettings } from '../settings.js'
import { wireOf, type Wire } from '../wire/segments.js'
import { bridgeTable } from './bridge-table.js'
import { addBaseChains, egressMap, guardMap, ingressMap } from './base-chains.js'
import { groupChain, guardChain, membersSet, portChain } from './chain-names.js'
import { addCommonGuard, addGuard } from './guard.js'
import { addOpenPort, addTakenMacs, takenMacs } from './open-ports.js'
import { addPortChains } from './port-chains.js'
import { ruleText } from './rule-text.js'
import { addTracking, addZone } from './tracking.js'
import { zonesOf } from './zones.js'

/** Security groups and the guard against spoofing. */
export const securityGroups: Part = (plan, settings, program) => {
  const { networks, ports, groups } = plan
  // Without a network there is no bridge of ours, and a tap is in none.
  if (networks.length === 0) return
  program.piece('groups', addCommon, settings.tracking)
  const zones = zonesOf(networks)
  for (const network of networks) {
    const { networkId, service } = network
    program.piece(networkId, addNetwork, wireOf(network), zones.get(networkId)!, service, settings)
  }
  for (const group of groups) program.piece(group.groupId, addGroup, group)
  const byNetwork = new Map(networks.map((network) => [network.networkId, network]))
  const byId = new Map(groups.map((group) => [group.groupId, group]))
  for (const port of ports) {
    const own = port.groups.map((groupId) => byId.get(groupId)).filter((group) => group !== undefined)
    const groupIds = own.map(({ groupId }) => groupId)
    const isTracked = own.every(({ stateful }) => stateful)
    const network = byNetwork.get(port.networkId)
    const names = { requests: network && requestChain(network), taken: network && takenMacs(network) }
    program.piece(port.portId, addPort, port, names, groupIds, isTracked)
  }
  addTakenMacs(plan, program)
}

function addCommon(piece: Piece, tracking: HostSettings['tracking']): void {
  const table = bridgeTable(piece)
  addBaseChains(table)
  addCommonGuard(table)
  addAnswers(table)
  addTracking(piece, tracking)
}

function addNetwork(piece: Piece, wire: Wire, zone: number, service: NetworkPlan['service'], settings: HostSettings): void {
  addZone(piece, wire, zone, settings)
  addRequests(bridgeTable(piece), wire, service)
}

/** Shared by all ports that are in the group, or whose rules name it. */
function addGroup(piece: Piece, { groupId, rules, members }: GroupPlan): void {
  const table = bridgeTable(piece)
  for (const direction of ['egress', 'ingress'] as const) {
    const texts = rules.filter((rule) => rule.direction === direction).map(ruleText)
    table.chain(groupChain(direction, groupId), undefined, 'leave-out').rule(...new Set(texts))
  }
  for (const family of [4, 6] as const) {
    const set = table.set(membersSet(family, groupId), { type: family === 4 ? 'ipv4_addr' : 'ipv6_addr', interval: true })
    for (const prefix of disjoint(members.filter((member) => familyOf(member) === family))) set.element(prefix)
  }
}

/** The chain of its network's calls for metadata, and the set of its MACs; undefined where its network is not known. */
interface NamesOfNetwork {
  requests: string | undefined
  taken: string | undefined
}

function addPort(
  piece: Piece,
  port: PortPlan,
  { requests, taken }: NamesOfNetwork,
  groups: readonly SecurityGroupId[],
  isTracked: boolean,
): void {
  const table = bridgeTable(piece)
  addWays(table, port)
  if (!port.adminStateUp) return
  if (!port.portSecurity) return addOpenPort(table, port, requests, taken)
  addGuard(table, port, requests)
  addPortChains(table, port, groups, isTracked)
}

/** Where a port's packets are judged. */
function addWays(table: TableBuilder, port: PortPlan): void {
  for (const [map, way] of Object.entries(waysOf(port))) {
    table.set(map, { type: 'ifname', data: 'verdict' }).element(tapName(port.portId), way)
  }
}

function waysOf({ portId, adminStateUp, portSecurity }: PortPlan): Record<string, string> {
  if (!adminStateUp) return { [guardMap]: 'drop', [egressMap]: 'drop', [ingressMap]: 'drop' }
  return {
    [guardMap]: `goto ${guardChain(portId)}`,
    [egressMap]: portSecurity ? `goto ${portChain('egress', portId)}` : 'accept',
    [ingressMap]: `goto ${portChain('ingress', portId)}`,
  }
}
