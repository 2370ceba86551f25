import type { RuleOfGroup, SecurityGroupRow } from '@nubo/database'

type Peer = { name: string; tenant_id: string }

/** Groups as Nova showed them, with the rules for what comes in: the only ones that it knew (`nova/network/security_group_api.py`). */
export function groupViews(groups: readonly SecurityGroupRow[], peers: readonly SecurityGroupRow[]) {
  const byId = new Map(peers.map(({ id, name, projectId }) => [id, { name, tenant_id: projectId }]))
  const order = (group: SecurityGroupRow) => `${group.projectId} ${group.name}`
  return groups
    .toSorted((one, other) => (order(one) < order(other) ? -1 : 1))
    .map(({ id, name, description, projectId, rules }) => ({
      ...{ id, name, description, tenant_id: projectId },
      rules: rules.filter(({ direction }) => direction === 'ingress').flatMap((rule) => ruleView(rule, byId)),
    }))
}

/** None for a rule whose peers are a group that is not seen. */
function ruleView(rule: RuleOfGroup, peers: ReadonlyMap<string, Peer>) {
  const { id, groupId, protocol, remoteGroupId } = rule
  const peer = remoteGroupId === null ? undefined : peers.get(remoteGroupId)
  if (remoteGroupId !== null && !peer) return []
  const cidr = rule.remoteIpPrefix ?? (rule.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0')
  const [fromPort, toPort] = portsOf(rule)
  return [
    {
      ...{ id, parent_group_id: groupId, ip_protocol: protocol, from_port: fromPort, to_port: toPort },
      ...{ group: peer ?? {}, ip_range: peer ? {} : { cidr } },
    },
  ]
}

/** All ports were said as numbers; of other protocols they were none. */
function portsOf({ protocol, portRangeMin, portRangeMax }: RuleOfGroup): readonly [number | null, number | null] {
  const saysNone = protocol !== null && portRangeMin === null && portRangeMax === null
  if (!saysNone) return [portRangeMin, portRangeMax]
  return protocol === 'tcp' || protocol === 'udp' ? [1, 65_535] : [-1, -1]
}
