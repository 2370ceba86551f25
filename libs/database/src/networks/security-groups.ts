import type { SecurityGroupRule } from '@nubo/domain'
import type { Transaction } from '../connection.js'
import { noteNetworkChange } from './changes.js'
import { giveBackNetworkQuota } from './quota.js'

export interface NewSecurityGroup {
  id: string
  projectId: string
  name: string
  description: string
  stateful: boolean
  /** Of the two rules by which everything may go out. */
  ruleIds: readonly [string, string]
}

const insertGroups = `
  WITH new AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS new(id uuid, "projectId" text, name text, description text, stateful boolean, "ruleIds" uuid[])),
  made AS (
    INSERT INTO security_groups (id, project_id, name, description, stateful)
    SELECT id, "projectId", name, description, stateful FROM new)
  INSERT INTO security_group_rules (id, group_id, project_id, direction, ethertype)
  SELECT rule.id, new.id, new."projectId", 'egress', rule.ethertype
  FROM new, unnest(new."ruleIds", ARRAY['IPv4', 'IPv6']) AS rule(id, ethertype)`

/** New groups let everything out and nothing in. */
export async function insertSecurityGroups(tx: Transaction, groups: readonly NewSecurityGroup[]): Promise<void> {
  await tx.execute(insertGroups, [JSON.stringify(groups)])
}

export interface GroupOwner {
  id: string
  projectId: string
}

/** Whose these groups are, which are not deleted until the transaction ends; those that are not there are left out. */
export async function holdGroups(tx: Transaction, ids: readonly string[]): Promise<(GroupOwner & { stateful: boolean })[]> {
  const read = 'SELECT id, project_id AS "projectId", stateful FROM security_groups'
  return await tx.query(`${read} WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE`, [ids])
}

/**
 * Holds a group while its rules are changed, so that two requests do not both add the same. Ports come into it and leave it
 * meanwhile.
 */
export async function lockGroupRules(tx: Transaction, groupId: string): Promise<GroupOwner | undefined> {
  const [row] = await tx.query<GroupOwner>(
    'SELECT id, project_id AS "projectId" FROM security_groups WHERE id = $1 FOR NO KEY UPDATE',
    [groupId],
  )
  return row
}

export async function readGroupRules(tx: Transaction, groupId: string): Promise<(SecurityGroupRule & { id: string })[]> {
  return await tx.query(
    `SELECT id, direction, ethertype, protocol, port_range_min AS "portRangeMin", port_range_max AS "portRangeMax",
       remote_ip_prefix AS "remoteIpPrefix", remote_group_id AS "remoteGroupId"
     FROM security_group_rules WHERE group_id = $1`,
    [groupId],
  )
}

export async function isGroupInUse(tx: Transaction, groupId: string): Promise<boolean> {
  return (await tx.query('SELECT FROM port_security_groups WHERE group_id = $1 LIMIT 1', [groupId])).length > 0
}

/**
 * Deletes a group that is locked and in which no port is, with its rules and the rules of others that name it. The hosts of
 * those others hear of it.
 */
export async function deleteSecurityGroup(tx: Transaction, { id, projectId }: GroupOwner): Promise<void> {
  const rules = await tx.query<{ projectId: string; groupId: string }>(
    `DELETE FROM security_group_rules WHERE group_id = $1 OR remote_group_id = $1
     RETURNING project_id AS "projectId", group_id AS "groupId"`,
    [id],
  )
  await tx.execute('DELETE FROM security_groups WHERE id = $1', [id])
  const others = new Set(rules.map(({ groupId }) => groupId).filter((groupId) => groupId !== id))
  await noteNetworkChange(tx, 'group', ...others)
  const rulesOf = Map.groupBy(rules, (rule) => rule.projectId)
  for (const owner of [...new Set([projectId, ...rulesOf.keys()])].toSorted())
    await giveBackNetworkQuota(tx, owner, {
      security_group_rule: rulesOf.get(owner)?.length ?? 0,
      security_group: owner === projectId ? 1 : 0,
    })
}
