export { NetworkRows } from './testing/network-rows.js'
