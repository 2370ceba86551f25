/** What a project has of each, as its row in project_quotas counts it. */
export interface NetworkUse {
  networks: number
  subnets: number
  subnetPools: number
  ports: number
  routers: number
  floatingIps: number
  securityGroups: number
  securityGroupRules: number
  networkShares: number
}

const tables = {
  networks: 'networks',
  subnets: 'subnets',
  subnetPools: 'subnet_pools',
  // A port that is gone for its tenant is not counted, whatever still holds its addresses.
  ports: 'ports WHERE gone_at IS NULL',
  routers: 'routers',
  floatingIps: 'floating_ips',
  securityGroups: 'security_groups',
  securityGroupRules: 'security_group_rules',
  networkShares: 'network_shares',
} as const satisfies Record<keyof NetworkUse, string>

const names = Object.keys(tables)
const rows = Object.entries(tables).map(([name, from]) => `SELECT project_id, '${name}' AS name FROM ${from}`)

/** `project_id, use`: of every project that has any, with zero for what it has none of. What belongs to no project is nobody's. */
export const networkUse = `
  SELECT project_id, jsonb_build_object(${names.map((name) => `'${name}', count(*) FILTER (WHERE name = '${name}')`).join(', ')}) AS use
  FROM (${rows.join(' UNION ALL ')}) had WHERE project_id <> '' GROUP BY project_id`
