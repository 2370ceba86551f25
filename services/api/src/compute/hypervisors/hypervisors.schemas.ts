import { z } from 'zod'
import { booleanWord, hostName, nonNegativeInteger, single } from '../parameter-types.js'

// The newest version's shapes (2.96). Older ones are brought up to them by the declared microversion changes.

export const listHypervisorsQuery = z.strictObject({
  limit: single(nonNegativeInteger),
  marker: single(z.string()),
  hypervisor_hostname_pattern: single(hostName),
  with_servers: single(booleanWord),
})
export type ListHypervisorsQuery = z.output<typeof listHypervisorsQuery>

export const showHypervisorQuery = z.strictObject({ with_servers: single(booleanWord) })
export type ShowHypervisorQuery = z.output<typeof showHypervisorQuery>
