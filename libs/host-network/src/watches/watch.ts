import type { HostPlan } from '../plan.js'

/** Something of the host that is not ours to put right, and by which its networks work worse than they could. */
export interface Watch {
  /** Looks afresh. Where it cannot, it says nothing. */
  look(plan: HostPlan): Promise<void>
  /** By the last look: what to tell a person. */
  warning(plan: HostPlan): string | undefined
}
