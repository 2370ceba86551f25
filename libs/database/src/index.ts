export { Database, isUniqueViolation, type DatabaseOptions, type Queryable, type Transaction } from './connection.js'
export { migrate } from './migrate.js'
export { claim, releaseRoom, storeRefusal, type Claim } from './hosts/room.js'
export { PgOperationStore, type TriedHost } from './operations/store.js'
export { PgOperationTransaction } from './operations/transaction.js'
export {
  heartbeatHost,
  observeGuests,
  recordSeen,
  registerHost,
  rehintHost,
  serversToRun,
  type Registration,
} from './hosts/registry.js'
export { readHostSnapshot, type HostSnapshotRow } from './hosts/snapshot.js'
export { recordAction, type PlainAction } from './operations/plain-action.js'
export * from './images/index.js'
export * from './servers/index.js'
export { findFlavorForProject, flavorRowColumns, type FlavorRow } from './flavors/find-flavor.js'
export { findKeypair, keypairRowColumns, type KeypairRow } from './keypairs/find-keypair.js'
export { recordPresence } from './hosts/presence.js'
export * from './identity/index.js'
