import type { NetworkId, PortId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** A network, as far as it matters to who puts a server on it. */
export interface UsableNetwork {
  id: NetworkId
  external: boolean
  own: boolean
  shared: boolean
  portSecurityEnabled: boolean
  hasSubnets: boolean
  adminStateUp: boolean
}

const shared = `EXISTS (SELECT FROM network_shares s WHERE s.network_id = n.id AND s.action = 'access_as_shared' AND s.target_project IN ('*', $1))`
const seen = `EXISTS (SELECT FROM network_shares s WHERE s.network_id = n.id AND s.target_project IN ('*', $1))`
const columns = `n.id, n.external, n.project_id = $1 AS own, ${shared} OR n.project_id = $1 AS shared, n.port_security_enabled AS "portSecurityEnabled",
  EXISTS (SELECT FROM subnets WHERE network_id = n.id) AS "hasSubnets", n.admin_state_up AS "adminStateUp"`

/** Those of `ids` that the project sees, or that there are at all. `shared`: it is the project's own, or shared with it. */
export async function findUsableNetworks(
  db: Queryable,
  ids: readonly string[],
  viewer: { projectId: string; seesAll: boolean },
): Promise<UsableNetwork[]> {
  return await db.query<UsableNetwork>(
    `SELECT ${columns} FROM networks n WHERE n.id = ANY($2::uuid[]) AND ($3 OR n.project_id = $1 OR ${seen})`,
    [viewer.projectId, ids, viewer.seesAll],
  )
}

/** The networks that are the project's, or shared with it: what its servers are put on where none is named. Two are as good as many. */
export async function findAvailableNetworks(db: Queryable, projectId: string): Promise<UsableNetwork[]> {
  return await db.query<UsableNetwork>(
    `SELECT ${columns} FROM networks n WHERE n.project_id = $1 OR ${shared} ORDER BY n.created_at, n.id LIMIT 2`,
    [projectId],
  )
}

/** A port, as far as it matters to who makes it an interface of a server. */
export interface UsablePort {
  id: PortId
  projectId: string
  networkId: NetworkId
  isUsed: boolean
  hasAddresses: boolean
}

/** Those of `ids` that are the project's, or that there are at all. */
export async function findUsablePorts(
  db: Queryable,
  ids: readonly string[],
  viewer: { projectId: string; seesAll: boolean },
): Promise<UsablePort[]> {
  return await db.query<UsablePort>(
    `SELECT id, project_id AS "projectId", network_id AS "networkId", device_id <> '' OR server_id IS NOT NULL AS "isUsed",
       EXISTS (SELECT FROM port_addresses WHERE port_id = p.id) AS "hasAddresses"
     FROM ports p WHERE id = ANY($1::uuid[]) AND gone_at IS NULL AND ($3 OR project_id = $2)`,
    [ids, viewer.projectId, viewer.seesAll],
  )
}

export interface NamedGroup {
  id: string
  name: string
  stateful: boolean
}

/** The project's groups that have one of these names or ids. */
export async function findGroupsByName(db: Queryable, projectId: string, names: readonly string[]): Promise<NamedGroup[]> {
  return await db.query<NamedGroup>(
    'SELECT id, name, stateful FROM security_groups WHERE project_id = $1 AND (name = ANY($2) OR id::text = ANY($2))',
    [projectId, names],
  )
}
