/**
 * What of Nova's former extensions is here; Nova itself lists all of them as they once were, whether they are still there or
 * not (`nova/api/openstack/compute/extension_info.py`). Clients of before microversions look for aliases.
 */
const names: Readonly<Record<string, string>> = {
  'OS-DCF': 'DiskConfig',
  'OS-EXT-AZ': 'ExtendedAvailabilityZone',
  'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes',
  'OS-EXT-STS': 'ExtendedStatus',
  'OS-FLV-DISABLED': 'FlavorDisabled',
  'OS-FLV-EXT-DATA': 'FlavorExtraData',
  'OS-SRV-USG': 'ServerUsage',
  'os-availability-zone': 'AvailabilityZone',
  'os-config-drive': 'ConfigDrive',
  'os-console-output': 'ConsoleOutput',
  'os-extended-hypervisors': 'ExtendedHypervisors',
  'os-extended-quotas': 'ExtendedQuotas',
  'os-extended-services': 'ExtendedServices',
  'os-extended-services-delete': 'ExtendedServicesDelete',
  'os-flavor-access': 'FlavorAccess',
  'os-flavor-extra-specs': 'FlavorExtraSpecs',
  'os-flavor-manage': 'FlavorManage',
  'os-flavor-rxtx': 'FlavorRxtx',
  'os-flavor-swap': 'FlavorSwap',
  'os-hypervisor-status': 'HypervisorStatus',
  'os-hypervisors': 'Hypervisors',
  'os-instance-actions': 'InstanceActions',
  'os-keypairs': 'Keypairs',
  'os-multiple-create': 'MultipleCreate',
  'os-quota-sets': 'Quotas',
  'os-server-group-quotas': 'ServerGroupQuotas',
  'os-server-list-multi-status': 'ServerListMultiStatus',
  'os-server-password': 'ServerPassword',
  'os-server-sort-keys': 'ServerSortKeys',
  'os-server-start-stop': 'ServerStartStop',
  'os-services': 'Services',
  'os-used-limits': 'UsedLimits',
  'os-used-limits-for-admin': 'UsedLimitsForAdmin',
  'os-user-data': 'UserData',
}

export const extensions = Object.entries(names).map(([alias, name]) => ({
  alias,
  name,
  description: `${name} of the compute API.`,
  links: [],
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: '2014-12-03T00:00:00Z',
}))
