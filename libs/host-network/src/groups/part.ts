import { familyOf } from '../addresses.js'
import { disjoint } from '../prefixes.js'
import { hostNamespace } from '../engine/objects.js'
import type { TableBuilder } from '../engine/program.js'
import { addCallers } from '../metadata/callers.js'
import { tapName } from '../names.js'
import type { Part } from '../part.js'
import type { GroupPlan, NetworkPlan, PortPlan } from '../plan.js'
import { addBaseChains, egressMap, guardMap, ingressMap } from './base-chains.js'
import { groupChain, guardChain, membersSet, portChain } from './chain-names.js'
import { addCommonGuard, addGuard, addOpenGuard } from './guard.js'
import { addPortChains } from './port-chains.js'
import { ruleText } from './rule-text.js'
import { addTracking } from './tracking.js'

/** Security groups and the guard against spoofing. */
export const securityGroups: Part = (plan, settings, program) => {
  // Without a network there is no bridge of ours, and a tap is in none.
  if (plan.networks.length === 0) return
  const table = program.table(hostNamespace, 'bridge', 'nubo')
  addBaseChains(table)
  addCommonGuard(table)
  addTracking(program, plan.networks, settings)
  const groups = new Map(plan.groups.map((group) => [group.groupId, group]))
  for (const group of plan.groups) addGroup(table, group)
  const networks = new Map(plan.networks.map((network) => [network.networkId, network]))
  for (const port of plan.ports) addPort(table, port, { groups, network: networks.get(port.networkId) })
  addCallers(table, plan)
}

/** Shared by all ports that are in the group, or whose rules name it. */
function addGroup(table: TableBuilder, { groupId, rules, members }: GroupPlan): void {
  for (const direction of ['egress', 'ingress'] as const) {
    const texts = rules.filter((rule) => rule.direction === direction).map(ruleText)
    table.chain(groupChain(direction, groupId)).rule(...new Set(texts))
  }
  for (const family of [4, 6] as const) {
    const set = table.set(membersSet(family, groupId), { type: family === 4 ? 'ipv4_addr' : 'ipv6_addr', interval: true })
    for (const prefix of disjoint(members.filter((member) => familyOf(member) === family))) set.element(prefix)
  }
}

interface Surroundings {
  groups: ReadonlyMap<string, GroupPlan>
  network: NetworkPlan | undefined
}

function addPort(table: TableBuilder, port: PortPlan, { groups, network }: Surroundings): void {
  const tap = tapName(port.portId)
  const ways = waysOf(port)
  for (const [map, way] of Object.entries(ways)) table.set(map, { type: 'ifname', data: 'verdict' }).element(tap, way)
  if (!port.adminStateUp) return
  if (!port.portSecurity) return addOpenGuard(table, port, network)
  addGuard(table, port, network)
  addPortChains(table, port, groups)
}

/** Where a port's packets are judged. */
function waysOf({ portId, adminStateUp, portSecurity }: PortPlan): Record<string, string> {
  if (!adminStateUp) return { [guardMap]: 'drop', [egressMap]: 'drop', [ingressMap]: 'drop' }
  const guard = `goto ${guardChain(portId)}`
  if (!portSecurity) return { [guardMap]: guard, [egressMap]: 'accept', [ingressMap]: 'accept' }
  return {
    [guardMap]: guard,
    [egressMap]: `goto ${portChain('egress', portId)}`,
    [ingressMap]: `goto ${portChain('ingress', portId)}`,
  }
}
