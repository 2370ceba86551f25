import { cloudAdmin, policy } from '@nubo/auth'

export const listHostKeysPolicy = policy(
  'nubo:host-keys:list',
  'List the keys of hosts, and what was refused in their names.',
  cloudAdmin,
)
export const enrolHostKeyPolicy = policy('nubo:host-keys:enrol', 'Say with which key a host is believed.', cloudAdmin)
export const removeHostKeyPolicy = policy('nubo:host-keys:remove', 'Believe a host no more.', cloudAdmin)
