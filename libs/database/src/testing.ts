export { addHost, insertServer, registrationOf, sampleInventory } from './testing/host-rows.js'
export { NetworkRows } from './testing/network-rows.js'
export { createMigrated, TestDatabase } from './testing/test-database.js'
