export { defaultCheckOptions, type CheckOptions, type RecordCheck } from './check.js'
export { readAbandoned, readTombstones, type AbandonedGuestNote, type Tombstone } from './deletion-frees-everything.js'
export { examine, examineHosts, examineRecords, hostChecks, recordChecks } from './examine.js'
export { findingKey, type Finding, type FindingSubject } from './finding.js'
export { findingKinds, type FindingCode, type PromiseNumber } from './finding-kinds.js'
export { hostDidNotAnswer, type HostCheck, type HostSurvey } from './host-survey.js'
export {
  abandonOperation,
  endByDeadline,
  heldWhereItWasSent,
  makeStepDue,
  putBackOnItsHost,
  recountQuota,
  recountRoom,
  revokeStep,
  tellNetworksAnew,
  tellOfRouterAnew,
} from './mend.js'
export { everyQueueIsRead, queueIsAway, type QueueSeen } from './queues-are-read.js'
export { takeTurnToReconcile } from './reconciliation.js'
export type { RoomFigures } from './room-is-counted.js'
