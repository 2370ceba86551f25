import { newId, type Random, type SecurityGroupId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

/** What the default group takes of its project's quota. Neutron counts it and never refuses it. */
export const defaultGroupAmounts = { security_group: 1, security_group_rule: 4 }

const find = 'SELECT id FROM security_groups WHERE project_id = $1 AND is_default'

/** A new group lets everything out over both protocols, and in what comes from its own members. */
const make = `
  WITH made AS (
    INSERT INTO security_groups (id, project_id, name, description, is_default)
    VALUES ($1, $2, 'default', 'Default security group', true)
    ON CONFLICT (project_id) WHERE is_default DO NOTHING RETURNING id)
  INSERT INTO security_group_rules (id, group_id, project_id, direction, ethertype, remote_group_id)
  SELECT rule.id, made.id, $2, rule.direction, rule.ethertype, CASE WHEN rule.direction = 'ingress' THEN made.id END
  FROM made, unnest($3::uuid[], ARRAY['egress', 'egress', 'ingress', 'ingress'], ARRAY['IPv4', 'IPv6', 'IPv4', 'IPv6'])
    AS rule(id, direction, ethertype)`

export interface DefaultGroup {
  id: SecurityGroupId
  /** By this call: its amounts are to be counted when the transaction comes to quotas. */
  isNew: boolean
}

/** The group of the project's ports where none is named; it is made where it is missing, once however many requests race. */
export async function ensureDefaultGroup(tx: Transaction, projectId: string, random: Random): Promise<DefaultGroup> {
  const existing = await findDefaultGroup(tx, projectId)
  if (existing) return { id: existing, isNew: false }
  const id = newId<SecurityGroupId>(random)
  const rules = await tx.execute(make, [id, projectId, Array.from({ length: 4 }, () => newId(random))])
  if (rules > 0) return { id, isNew: true }
  // Somebody made it while we waited to.
  return { id: (await findDefaultGroup(tx, projectId))!, isNew: false }
}

/** Undefined where the project has none yet. */
export async function findDefaultGroup(db: Queryable, projectId: string): Promise<SecurityGroupId | undefined> {
  const [row] = await db.query<{ id: SecurityGroupId }>(find, [projectId])
  return row?.id
}
