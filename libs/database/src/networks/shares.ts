import type { Queryable, Transaction } from '../connection.js'
import { countNetworkUse, giveBackNetworkQuota } from './quota.js'

export type ShareAction = 'access_as_shared' | 'access_as_external'

export interface NewShare {
  id: string
  networkId: string
  action: ShareAction
}

/** Shares a network with every project, in its owner's name. Does nothing where it is shared so already. */
export async function shareNetwork(tx: Transaction, { id, networkId, action }: NewShare): Promise<void> {
  const made = await tx.query<{ project_id: string }>(
    `INSERT INTO network_shares (id, project_id, network_id, action, target_project)
     SELECT $1, project_id, id, $3, '*' FROM networks WHERE id = $2 ON CONFLICT DO NOTHING RETURNING project_id`,
    [id, networkId, action],
  )
  for (const { project_id: projectId } of made) await countNetworkUse(tx, projectId, { rbac_policy: 1 })
}

/** Shares it with every project no more. False where it was not. */
export async function unshareNetwork(tx: Transaction, networkId: string, action: ShareAction): Promise<boolean> {
  const deleted = await tx.query<{ project_id: string }>(
    `DELETE FROM network_shares WHERE network_id = $1 AND action = $2 AND target_project = '*' RETURNING project_id`,
    [networkId, action],
  )
  for (const { project_id: projectId } of deleted) await giveBackNetworkQuota(tx, projectId, { rbac_policy: 1 })
  return deleted.length > 0
}

/** Whether a network is shared with that project by its name, and not only with every project. */
export async function isSharedByName(db: Queryable, networkId: string, projectId: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM network_shares WHERE network_id = $1 AND action = 'access_as_shared' AND target_project = $2`,
    [networkId, projectId],
  )
  return rows.length > 0
}

/** Whether a project that the network is neither owned by nor shared with has a port or a subnet there. */
export async function isUsedByOthers(db: Queryable, networkId: string): Promise<boolean> {
  const [row] = await db.query<{ used: boolean }>(
    `SELECT EXISTS (
       SELECT FROM (
         SELECT project_id FROM ports WHERE network_id = $1 AND gone_at IS NULL AND device_owner NOT LIKE 'network:%'
         UNION ALL SELECT project_id FROM subnets WHERE network_id = $1) users
       WHERE project_id NOT IN (SELECT project_id FROM networks WHERE id = $1)
         AND NOT EXISTS (SELECT FROM network_shares s WHERE s.network_id = $1 AND s.action = 'access_as_shared'
           AND s.target_project IN ('*', users.project_id))) AS used`,
    [networkId],
  )
  return row!.used
}

/** Whether routers have their gateways, or floating IPs their addresses, on an external network. */
export async function hasExternalUse(db: Queryable, networkId: string): Promise<boolean> {
  const [row] = await db.query<{ used: boolean }>(
    `SELECT EXISTS (SELECT FROM ports WHERE network_id = $1 AND gone_at IS NULL
       AND device_owner IN ('network:router_gateway', 'network:floatingip')) AS used`,
    [networkId],
  )
  return row!.used
}
