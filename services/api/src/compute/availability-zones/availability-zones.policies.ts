import { anyCaller, cloudAdmin, policy } from '@nubo/auth'

export const listZonesPolicy = policy('os_compute_api:os-availability-zone:list', 'List availability zones.', anyCaller)
export const detailZonesPolicy = policy(
  'os_compute_api:os-availability-zone:detail',
  'List availability zones with their hosts.',
  cloudAdmin,
)
