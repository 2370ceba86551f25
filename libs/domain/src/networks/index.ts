export * from './network-error.js'
export * from './quota.js'
