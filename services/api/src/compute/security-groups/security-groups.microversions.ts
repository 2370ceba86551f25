import { microversion } from '@nubo/wire'

export const securityGroupMicroversions = [
  microversion('2.36', 'security groups are the network API’s', {
    removed: ['security-group.list', 'security-group.show'],
    missing: 'the other proxies to other services, which are gone since',
  }),
]
