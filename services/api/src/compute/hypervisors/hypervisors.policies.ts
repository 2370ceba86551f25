import { cloudAdmin, policy } from '@nubo/auth'

const hypervisorPolicy = (action: string, description: string) =>
  policy(`os_compute_api:os-hypervisors:${action}`, description, cloudAdmin)

export const listHypervisorsPolicy = hypervisorPolicy('list', 'List hypervisors.')
export const detailHypervisorsPolicy = hypervisorPolicy('list-detail', 'List hypervisors with details.')
export const showHypervisorPolicy = hypervisorPolicy('show', 'Show a hypervisor.')
export const statisticsPolicy = hypervisorPolicy('statistics', 'Show what all hypervisors have together.')
export const uptimePolicy = hypervisorPolicy('uptime', 'Show how long the host of a hypervisor has been up.')
export const searchHypervisorsPolicy = hypervisorPolicy('search', 'Find hypervisors by a part of their name.')
export const hypervisorServersPolicy = hypervisorPolicy(
  'servers',
  'List the servers on hypervisors that are found by a part of their name.',
)
export const listAggregatesPolicy = policy('os_compute_api:os-aggregates:index', 'List host aggregates.', cloudAdmin)
export const explainVirtTypePolicy = policy('nubo:hypervisors:show', 'Read why a host runs guests as it does.', cloudAdmin)
