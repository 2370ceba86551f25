export {
  addressBits,
  canonicalAddress,
  isMulticast,
  parseAddress,
  printAddress,
  sameAddress,
  type Address,
  type Family,
} from './addresses.js'
export { canonicalMac, eui64Address, newMac } from './mac-addresses.js'
export { defaultPools, isInPools, parsePool, poolSize, printPool, runsFrom, type Pool, type PoolText, type Run } from './pools.js'
export {
  prefixContains,
  isUsableIn,
  lastOfPrefix,
  prefixesOverlap,
  parsePrefix,
  prefixAround,
  printPrefix,
  prefixSize,
  type Prefix,
} from './prefixes.js'
