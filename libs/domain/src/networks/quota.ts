/** What a project may have of networks, from Neutron's defaults (neutron/conf/quota.py). -1 is no limit. */
export const defaultNetworkLimits = {
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
}

/** By Neutron's names, under which a project's own limits are stored too. */
export type NetworkQuotaResource = keyof typeof defaultNetworkLimits
export type NetworkAmounts = Partial<Record<NetworkQuotaResource, number>>
export type NetworkLimits = Record<NetworkQuotaResource, number>

export const networkQuotaResources = Object.keys(defaultNetworkLimits) as NetworkQuotaResource[]

/** The limits of a project of which only what differs from the defaults is stored, beside limits of other services. */
export function networkLimitsOf(stored: Readonly<Record<string, number>>): NetworkLimits {
  const limits = networkQuotaResources.map((resource) => [resource, stored[resource] ?? defaultNetworkLimits[resource]])
  return Object.fromEntries(limits) as NetworkLimits
}
