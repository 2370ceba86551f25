import type { QuotaState } from '@nubo/database'
import { limitsOf, type QuotaLimits } from '@nubo/domain'
import { withSource } from '@nubo/wire'

/** The newest version's shape (2.96); what older ones show beside it is made from what hangs on it. */
export function limitsView({ limits: stored, used }: QuotaState) {
  const limits = limitsOf(stored)
  const absolute = {
    maxServerMeta: limits.metadataItems,
    maxTotalInstances: limits.instances,
    maxTotalCores: limits.cores,
    maxTotalRAMSize: limits.ramMiB,
    maxTotalKeypairs: limits.keyPairs,
    maxServerGroups: limits.serverGroups,
    maxServerGroupMembers: limits.serverGroupMembers,
    totalInstancesUsed: used.instances,
    totalCoresUsed: used.cores,
    totalRAMUsed: used.ramMiB,
    totalServerGroupsUsed: 0,
  }
  return withSource({ rate: [], absolute }, limits)
}

export type LimitsSource = QuotaLimits
