export * from './host-network.js'
export * from './plan.js'
