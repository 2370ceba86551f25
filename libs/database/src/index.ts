export type { PoolUse } from './bounded-pool.js'
export {
  Database,
  isForeignKeyViolation,
  isUniqueViolation,
  type DatabaseOptions,
  type Queryable,
  type Transaction,
} from './connection.js'
export type { Connection, Connections, StatementResult } from './connections.js'
export { migrate } from './migrate.js'
export { claim, releaseRoom, storeRefusal, type Claim } from './hosts/room.js'
export {
  readLiveOperations,
  readOpenStepFigures,
  readWorkLeft,
  type LiveOperations,
  type OpenSteps,
  type WorkLeft,
} from './operations/figures.js'
export { PgOperationStore, type TriedHost } from './operations/store.js'
export { PgOperationTransaction } from './operations/transaction.js'
export { heartbeatHost, registerHost, serversToRun, sessionOf, settleHost, type Registration } from './hosts/registry.js'
export { observeGuests } from './hosts/observations.js'
export { readHostSnapshot, type CloudSnapshot, type HostSnapshotRow } from './hosts/snapshot.js'
export {
  abandonedGuests,
  adoptGuests,
  findInterrupted,
  findStranded,
  forgetAbandoned,
  isFenced,
  markInterrupted,
  releaseHost,
  clearInterrupted,
  type AbandonedGuest,
} from './hosts/fencing.js'
export { findHost, hostsAreHeard, listHosts, type HostRow } from './hosts/host-list.js'
export {
  claimRegistration,
  enrolHostKey,
  findHostKey,
  listHostKeys,
  recordRefusals,
  removeHostKey,
  type HostKeyRow,
  type HostRefusalRow,
} from './hosts/keys.js'
export { hearingMarkEveryMs, recordHearing } from './hosts/hearing.js'
export { recordAction, type PlainAction } from './operations/plain-action.js'
export * from './idempotency/index.js'
export * from './images/index.js'
export * from './servers/index.js'
export * from './flavors/index.js'
export * from './keypairs/index.js'
export * from './networks/index.js'
export * from './quotas/index.js'
export {
  findHypervisor,
  listHypervisors,
  readHypervisorTotals,
  searchHypervisors,
  serversOfHosts,
  type HostedServer,
  type HypervisorKey,
  type HypervisorPage,
  type HypervisorRow,
  type HypervisorTotals,
} from './hosts/hypervisors.js'
export {
  deleteControlService,
  findService,
  listServices,
  updateComputeService,
  type ComputeServiceChanges,
  type ServiceFilter,
  type ServiceKey,
  type ServiceRow,
} from './hosts/services.js'
export { forgetHost, type Forgotten } from './hosts/forget-host.js'
export { describeNetworkAgent, listNetworkAgents, type NetworkAgentRow } from './hosts/network-agents.js'
export { recordPresence } from './hosts/presence.js'
export * from './identity/index.js'
export { seedCloud, type CloudSeed, type SeedHasher, type TenantSeed } from './seed/seed-cloud.js'
export * from './promises/index.js'
export {
  findOperation,
  listOperations,
  listSteps,
  type OperationFilter,
  type OperationRow,
  type OperationStepRow,
} from './operations/read-operations.js'
