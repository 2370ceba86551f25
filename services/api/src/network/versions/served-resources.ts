/** The resources that the network API tells of at its version. */
export const served = [
  { singular: 'network', plural: 'networks' },
  { singular: 'subnet', plural: 'subnets' },
  { singular: 'subnetpool', plural: 'subnetpools' },
  { singular: 'port', plural: 'ports' },
  { singular: 'security_group', plural: 'security_groups' },
  { singular: 'security_group_rule', plural: 'security_group_rules' },
  { singular: 'router', plural: 'routers' },
  { singular: 'floatingip', plural: 'floatingips' },
  { singular: 'rbac_policy', plural: 'rbac_policies' },
  { singular: 'quota', plural: 'quotas' },
  { singular: 'extension', plural: 'extensions' },
  { singular: 'agent', plural: 'agents' },
  { singular: 'network_ip_availability', plural: 'network_ip_availabilities' },
  { singular: 'availability_zone', plural: 'availability_zones' },
]
