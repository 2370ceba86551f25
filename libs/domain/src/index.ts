export * from './quota.js'
export * from './server-actions.js'
export * from './server-states.js'
export * from './placement/index.js'
