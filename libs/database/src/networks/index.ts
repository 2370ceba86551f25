export * from './changes.js'
export { readHostPlan } from './host-plan.js'
export {
  networksNeedWork,
  raisePlans,
  recordApplied,
  settleFencedNetworks,
  takeDuePlans,
  type AppliedPlan,
} from './plan-revisions.js'
export { placeRouters } from './router-placement.js'
export * from './network-records.js'
export * from './networks.js'
export * from './quota.js'
export * from './records/index.js'
export * from './shares.js'
