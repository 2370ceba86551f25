export { deleteMetadataItem, setLocked, updateServer, writeMetadata, type ServerChanges } from './change-servers.js'
export { clearGuestPassword, readGuestPassword, recordGuestPassword } from './guest-passwords.js'
export { insertServers, type NewServer, type NewServersRequest } from './insert-servers.js'
export { readQuota, type QuotaState, type ServerQuota } from './quota-use.js'
export {
  findServerEvenDeleted,
  findServer,
  listServerBriefs,
  listServers,
  readUserData,
  sortableServerKeys,
  type ServerBrief,
  type ServerFilter,
  type ServerPage,
} from './read-servers.js'
export { type ServerFault, type ServerRow } from './server-row.js'
export {
  findPlacementDecision,
  findServerAction,
  listServerActions,
  type ServerActionPage,
  type ServerActionRow,
  type ServerActionStepRow,
  type StoredDecision,
} from './actions.js'
export { findServerParts, type PartIds, type ServerImageRow } from './find-parts.js'
