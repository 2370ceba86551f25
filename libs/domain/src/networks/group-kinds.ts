import { networkError } from './network-error.js'

/**
 * Throws where stateful and stateless groups are to stand together on one port: what one lets through by its connection the other
 * would not know (neutron/db/securitygroups_db.py, SecurityGroupConflict).
 */
export function assertOneKind(groups: readonly { stateful: boolean }[]): void {
  if (new Set(groups.map(({ stateful }) => stateful)).size > 1)
    throw networkError(
      'Conflict',
      'SecurityGroupConflict',
      'Error Cannot apply both stateful and stateless security groups on the same port at the same time while attempting the operation.',
    )
}
