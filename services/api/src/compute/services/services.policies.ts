import { cloudAdmin, policy } from '@nubo/auth'

export const listServicesPolicy = policy('os_compute_api:os-services:list', 'List compute services.', cloudAdmin)
export const updateServicePolicy = policy(
  'os_compute_api:os-services:update',
  'Enable or disable a compute service, or declare it down.',
  cloudAdmin,
)
export const deleteServicePolicy = policy('os_compute_api:os-services:delete', 'Delete a compute service.', cloudAdmin)
