export * from './address-plan.js'
export * from './device-owners.js'
export * from './network-error.js'
export * from './quota.js'
