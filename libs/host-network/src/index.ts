export * from './host-network.js'
export * from './plan.js'
export { type HostSettings } from './settings.js'
export { bridgeName, tapName } from './names.js'
