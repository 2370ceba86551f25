import type { NetworkId, PortId, SecurityGroupId } from '@nubo/kernel'
import type { GroupPlan, HostPlan, PortPlan } from '../plan.js'
import { groupsById, type Groups } from './judge.js'

/** What the ports of a host may do, in a form that two of are compared: each group once, however many ports are in it. */
export interface Rights {
  ports: ReadonlyMap<PortId, { networkId: NetworkId; addresses: string; groups: ReadonlySet<SecurityGroupId> }>
  /** By group all that it lets through: its rules, and the members of those that they name. */
  groups: ReadonlyMap<SecurityGroupId, ReadonlySet<string>>
}

/** True where connections are looked at at all. */
export const isJudged = (port: PortPlan, groups: Groups) =>
  port.portSecurity && port.adminStateUp && port.groups.every((groupId) => groups.get(groupId)?.stateful !== false)

export function rightsOf({ ports, groups }: HostPlan): Rights {
  const byId = groupsById(groups)
  const judged = ports.filter((port) => isJudged(port, byId))
  return {
    ports: new Map(
      judged.map(({ portId, networkId, addresses, groups }) => [
        portId,
        { networkId, addresses: addresses.join(), groups: new Set(groups) },
      ]),
    ),
    groups: new Map(groups.map((group) => [group.groupId, grantsOf(group, byId)])),
  }
}

function grantsOf({ rules }: GroupPlan, groups: Groups): Set<string> {
  const remote = new Set(rules.flatMap(({ remoteGroup }) => remoteGroup ?? []))
  const members = [...remote].flatMap((groupId) => (groups.get(groupId)?.members ?? []).map((member) => `${groupId} ${member}`))
  return new Set([...rules.map((rule) => JSON.stringify(rule)), ...members])
}

/** Networks of which something was taken from a port, and those of which something was given. */
export interface RightsChange {
  less: ReadonlySet<NetworkId>
  more: ReadonlySet<NetworkId>
}

export function changeOf(before: Rights, after: Rights): RightsChange {
  const shrunk = groupsThat(before, after, (was, is) => !isSubset(was, is))
  const grown = groupsThat(before, after, (was, is) => !isSubset(is, was))
  const [less, more] = [new Set<NetworkId>(), new Set<NetworkId>()]
  for (const [portId, port] of after.ports) {
    const was = before.ports.get(portId)
    const groups = [...port.groups]
    // Of one that is new, or is judged from now on, there may be connections from before.
    const hasLost = !was || was.addresses !== port.addresses || !isSubset(was.groups, port.groups)
    if (hasLost || groups.some((groupId) => shrunk.has(groupId))) less.add(port.networkId)
    else if (!isSubset(port.groups, was.groups) || groups.some((groupId) => grown.has(groupId))) more.add(port.networkId)
  }
  return { less, more }
}

type Grants = ReadonlySet<string>

function groupsThat(before: Rights, after: Rights, differs: (was: Grants, is: Grants) => boolean): Set<SecurityGroupId> {
  const none: Grants = new Set()
  return new Set([...after.groups].flatMap(([id, is]) => (differs(before.groups.get(id) ?? none, is) ? [id] : [])))
}

const isSubset = <T>(of: ReadonlySet<T>, all: ReadonlySet<T>) => [...of].every((one) => all.has(one))
