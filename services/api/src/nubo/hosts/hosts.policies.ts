import { cloudAdmin, policy } from '@nubo/auth'

export const listHostsPolicy = policy('nubo:hosts:list', 'List hosts, and whether they take part.', cloudAdmin)
export const showHostPolicy = policy('nubo:hosts:show', 'Show a host, and what is wrong with it.', cloudAdmin)
export const fenceHostPolicy = policy('nubo:hosts:fence', 'Declare a host dead.', cloudAdmin)
export const releaseHostPolicy = policy(
  'nubo:hosts:release',
  'Let a host that was declared dead, or is in quarantine, take part again.',
  cloudAdmin,
)
