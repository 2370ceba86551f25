/** The resources that the network API tells of at its version. */
export const served = [
  { singular: 'network', plural: 'networks' },
  { singular: 'subnet', plural: 'subnets' },
  { singular: 'subnetpool', plural: 'subnetpools' },
]
