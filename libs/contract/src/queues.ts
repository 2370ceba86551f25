import type { HostId } from '@nubo/kernel'

/** Hints of open `place` steps, for any scheduler. */
export const placementQueue = 'placement'
/** Hints of what the control plane itself does, for any conductor: that networks changed. */
export const operationsQueue = 'operations'
/** What agents report, for any conductor. */
export const reportsQueue = 'reports'

/** Commands, acknowledgements and questions for the agent of one host. */
export function computeQueue(hostId: HostId): string {
  return `compute-${hostId}`
}
