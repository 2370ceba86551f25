import { anyCaller, cloudAdmin, policy } from '@nubo/auth'

export const showLimitsPolicy = policy('os_compute_api:limits', "Show the limits of the caller's project.", anyCaller)
export const otherProjectLimitsPolicy = policy(
  'os_compute_api:limits:other_project',
  'Show the limits of another project.',
  cloudAdmin,
)
