import type { Family, PoolText } from '@nubo/domain'
import type { Queryable } from '../connection.js'

export interface SubnetUse {
  id: string
  name: string
  cidr: string
  ipVersion: Family
  pools: PoolText[]
  /** Addresses that are given out, or held until a host has let go of them. */
  used: number
}

export interface NetworkUse {
  id: string
  name: string
  projectId: string
  subnets: SubnetUse[]
}

/** How many addresses of each network's subnets are in use. */
export async function readAddressUse(db: Queryable): Promise<NetworkUse[]> {
  return await db.query<NetworkUse>(`
    SELECT n.id, n.name, n.project_id AS "projectId", COALESCE(jsonb_agg(jsonb_build_object(
        'id', s.id, 'name', s.name, 'cidr', text(s.cidr), 'ipVersion', s.ip_version, 'pools', s.pools, 'used', COALESCE(a.used, 0)
      ) ORDER BY s.created_at, s.id) FILTER (WHERE s.id IS NOT NULL), '[]') AS subnets
    FROM networks n LEFT JOIN subnets s ON s.network_id = n.id
      LEFT JOIN (SELECT subnet_id, count(*)::int AS used FROM port_addresses GROUP BY subnet_id) a ON a.subnet_id = s.id
    GROUP BY n.id ORDER BY n.created_at, n.id`)
}
