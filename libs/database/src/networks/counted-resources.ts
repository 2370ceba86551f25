import { networkQuotaResources, type NetworkLimits, type NetworkQuotaResource } from '@nubo/domain'

interface CountedResource {
  /** Of project_quotas: how many the project is said to have. */
  column: string
  /** What it is that is counted, each in a row with its project. */
  rows: string
}

/** What a project's quota counts of networks: where it is counted, and what. */
export const countedResources: Readonly<Record<NetworkQuotaResource, CountedResource>> = {
  network: { column: 'used_networks', rows: 'networks' },
  subnet: { column: 'used_subnets', rows: 'subnets' },
  subnetpool: { column: 'used_subnet_pools', rows: 'subnet_pools' },
  // A port that is gone for its tenant is not counted, whatever still holds its addresses.
  port: { column: 'used_ports', rows: 'ports WHERE gone_at IS NULL' },
  router: { column: 'used_routers', rows: 'routers' },
  floatingip: { column: 'used_floating_ips', rows: 'floating_ips' },
  security_group: { column: 'used_security_groups', rows: 'security_groups' },
  security_group_rule: { column: 'used_security_group_rules', rows: 'security_group_rules' },
  rbac_policy: { column: 'used_network_shares', rows: 'network_shares' },
}

/** How many of each a project has. */
export type NetworkUse = NetworkLimits

/** `jsonb_build_object` of every resource with what `expression` makes of it. */
function byResource(expression: (resource: NetworkQuotaResource) => string): string {
  return `jsonb_build_object(${networkQuotaResources.map((each) => `'${each}', ${expression(each)}`).join(', ')})`
}

const rows = networkQuotaResources.map(
  (resource) => `SELECT project_id, '${resource}' AS resource FROM ${countedResources[resource].rows}`,
)

/** `project_id, use`: of every project that has any, with zero for what it has none of. What belongs to no project is nobody's. */
export const networkUse = `
  SELECT project_id, ${byResource((resource) => `count(*) FILTER (WHERE resource = '${resource}')`)} AS use
  FROM (${rows.join(' UNION ALL ')}) had WHERE project_id <> '' GROUP BY project_id`

/** The same as the row `quota` of project_quotas counts it; all zero where there is none. */
export const countedUse = (quota: string) =>
  byResource((resource) => `COALESCE(${quota}.${countedResources[resource].column}, 0)`)

/** The same of a project that has none of anything. */
export const noUse = byResource(() => '0')
