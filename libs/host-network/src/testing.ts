// Nothing of jest's: the benchmark, which runs outside of it, makes hosts too.
export { anyEgress, emptyPlan, groupOf, ingress, networkOf, portOf } from './testing/plans.js'
export { guestPort, planOf, servedNetwork, subnetOf } from './testing/served-networks.js'
export * as frames from './testing/frames.js'
export { TestHosts, type TestGuest, type TestHost } from './testing/test-hosts.js'
