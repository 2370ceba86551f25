import { protocolNumber } from '@nubo/domain'
import type { SecurityGroupId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { asPrefix } from './plan-ports.js'

interface RuleRow {
  groupId: SecurityGroupId
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol: string | null
  portMin: number | null
  portMax: number | null
  remotePrefix: string | null
  remoteGroup: SecurityGroupId | null
}

const groups = `SELECT id AS "groupId", stateful FROM security_groups WHERE id = ANY($1::uuid[]) ORDER BY id`

const rules = `
  SELECT group_id AS "groupId", direction, ethertype, protocol, port_range_min AS "portMin", port_range_max AS "portMax",
    remote_ip_prefix AS "remotePrefix", remote_group_id AS "remoteGroup"
  FROM security_group_rules WHERE group_id = ANY($1::uuid[]) ORDER BY id`

const members = `
  SELECT DISTINCT g.group_id AS "groupId", member.prefix FROM port_security_groups g JOIN ports p ON p.id = g.port_id
    CROSS JOIN LATERAL (
      SELECT host(a.address) AS prefix FROM port_addresses a WHERE a.port_id = p.id
      UNION SELECT pair->>'ip_address' FROM jsonb_array_elements(p.allowed_address_pairs) pair) member
  WHERE g.group_id = ANY($1::uuid[]) AND p.gone_at IS NULL ORDER BY 1, 2`

/** These groups with their rules, and the groups that their rules name, with their members. */
export async function planGroups(db: Queryable, ids: readonly string[]) {
  if (ids.length === 0) return []
  const ruleRows = await db.query<RuleRow>(rules, [ids])
  const remote = [...new Set(ruleRows.flatMap((rule) => rule.remoteGroup ?? []))]
  const groupRows = await db.query<{ groupId: SecurityGroupId; stateful: boolean }>(groups, [[...new Set([...ids, ...remote])]])
  const memberRows = remote.length ? await db.query<{ groupId: SecurityGroupId; prefix: string }>(members, [remote]) : []
  const rulesOf = Map.groupBy(ruleRows, (row) => row.groupId)
  const membersOf = Map.groupBy(memberRows, (row) => row.groupId)
  return groupRows.map(({ groupId, stateful }) => ({
    groupId,
    stateful,
    rules: (rulesOf.get(groupId) ?? []).map(planRule),
    members: (membersOf.get(groupId) ?? []).map((member) => asPrefix(member.prefix)),
  }))
}

function planRule({ groupId: _, protocol, remotePrefix, ...rule }: RuleRow) {
  return {
    ...rule,
    protocol: protocol === null ? null : protocolNumber(protocol, rule.ethertype),
    remotePrefix: remotePrefix && asPrefix(remotePrefix),
  }
}
