export { lockQuota, projectExists, readUserUse, resetLimits, setLimits } from './quotas.js'
