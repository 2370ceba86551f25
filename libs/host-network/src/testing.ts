export { anyEgress, groupOf, ingress } from './testing/plans.js'
export { guestPort, planOf, servedNetwork, subnetOf } from './testing/served-networks.js'
export { TestHosts, type TestGuest, type TestHost } from './testing/test-hosts.js'
