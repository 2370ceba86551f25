export { allocateAddresses, type AddressesOf, type AddressRequest, type GivenAddress } from './address-allocation.js'
export * from './address-use.js'
export * from './changes.js'
export { createPorts, macInUse, type CreatedPort, type NewPort } from './create-ports.js'
export { defaultGroupAmounts, ensureDefaultGroup, findDefaultGroup, type DefaultGroup } from './default-group.js'
export { readHostPlan } from './host-plan.js'
export {
  duePlansAtOnce,
  networksNeedWork,
  raisePlans,
  recordApplied,
  settleFencedNetworks,
  takeDuePlans,
  troublesOfHosts,
  type AppliedPlan,
} from './plan-revisions.js'
export { placeRouters } from './router-placement.js'
export * from './network-records.js'
export * from './networks.js'
export * from './quota.js'
export * from './records/index.js'
export * from './shares.js'
export { bindPorts, deletePorts, unbindPorts } from './release-ports.js'
export * from './subnet-records.js'
export * from './subnets.js'
export { settleServicePort } from './service-port.js'
export * from './security-group-records.js'
export * from './security-groups.js'
export * from './router-records.js'
export * from './routers.js'
export * from './port-records.js'
export * from './change-ports.js'
export {
  findHostByAddress,
  readBoundPorts,
  readMergedPlan,
  readNetworkNames,
  readTracedPorts,
  type MergedPlan,
  type TracedPort,
} from './merged-plan.js'
export * from './server-addresses.js'
export * from './server-groups.js'
export { nextDeviceIndex, notePortBound, portOfServer, serverOfPort, takePort, type TakenPort } from './server-ports.js'
export * from './usable.js'
