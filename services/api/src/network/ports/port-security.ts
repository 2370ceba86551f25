import { isCloudAdmin, type Caller } from '@nubo/auth'
import { holdGroups, type Transaction } from '@nubo/database'
import { assertOneKind, networkError } from '@nubo/domain'
import { securityGroups } from '../security-groups/security-groups.js'

/** What a port has, or is to have, of what guards it. */
export interface PortGuard {
  portSecurityEnabled: boolean
  groupIds: readonly string[]
  addressPairs: readonly unknown[]
}

/** Throws where a new port is to have what only guarded ports have (neutron/plugins/ml2/plugin.py). */
export function assertGuardOfNew({ portSecurityEnabled, groupIds, addressPairs }: PortGuard): void {
  if (portSecurityEnabled) return
  if (addressPairs.length > 0) throw pairsNeedSecurity()
  if (groupIds.length > 0) throw groupsNeedSecurity()
}

/** The same of a port that is changed: what it had and is not given up with its guard stands in the way. */
export function assertGuardOfChanged(after: PortGuard, given: { groups: boolean }): void {
  if (after.portSecurityEnabled) return
  if (after.addressPairs.length > 0) throw pairsNeedSecurity()
  if (after.groupIds.length === 0) return
  if (given.groups) throw groupsNeedSecurity()
  throw networkError(
    'Conflict',
    'PortSecurityPortHasSecurityGroup',
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
  )
}

const pairsNeedSecurity = () =>
  networkError(
    'Conflict',
    'AddressPairAndPortSecurityRequired',
    'Port Security must be enabled in order to have allowed address pairs on a port.',
  )

const groupsNeedSecurity = () =>
  networkError(
    'Invalid',
    'PortSecurityAndIPRequiredForSecurityGroups',
    'Port security must be enabled and port must have an IP address in order to use security groups.',
  )

/** Throws where a group is not there for the port's project, or where stateful and stateless ones are to stand together. */
export async function assertGroups(
  tx: Transaction,
  { groupIds, projectId }: { groupIds: readonly string[]; projectId: string },
  caller: Caller,
): Promise<void> {
  if (groupIds.length === 0) return
  const known = await holdGroups(tx, groupIds)
  const theirs = known.filter((group) => isCloudAdmin(caller) || group.projectId === projectId)
  const absent = groupIds.find((id) => !theirs.some((group) => group.id === id))
  if (absent !== undefined) throw securityGroups.notFound(absent)
  assertOneKind(theirs)
}
