import type { HostPlan } from './plan.js'

/** Sees to what is not in the kernel's state, and must happen once when a plan came into force. */
export interface Follower {
  /**
   * To be called when all that the plan names is there. Costs nothing where nothing of its concern changed since the last time.
   * @throws `Unavailable` where it could not be done; it is called again.
   */
  follow(plan: HostPlan): Promise<void>
}
