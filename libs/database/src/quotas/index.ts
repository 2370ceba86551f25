export { lockQuota, readUserUse, resetLimits, setLimits } from './quotas.js'
