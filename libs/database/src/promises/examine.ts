import type { Database, Queryable } from '../connection.js'
import { defaultCheckOptions, type CheckOptions, type RecordCheck } from './check.js'
import { deletionFreesRoom, tombstonesAreOfHostsAway } from './deletion-frees-everything.js'
import { nothingWaitsForAFencedHost } from './fenced-hosts.js'
import type { Finding } from './finding.js'
import { everyGuestHasItsDisks } from './guests-have-their-disks.js'
import type { HostCheck, HostSurvey } from './host-survey.js'
import { everyHostIsTrusted } from './hosts-are-trusted.js'
import { everyDiskIsNamed, everyGuestIsNamed, noFolderIsAStray } from './hosts-hold-what-is-recorded.js'
import { journalsAgree } from './journals-agree.js'
import { keysNameWhatExists } from './keys-name-what-exists.js'
import {
  addressesAreLetGoOf,
  deletionFreesPorts,
  hostsCarryTheirNetworks,
  networkChangesAreTold,
  networkUseIsCounted,
  portsAreCarried,
  portsAreWithTheirServer,
  routersArrive,
} from './networks-are-held.js'
import { oneHostRunsIt } from './one-host-runs-it.js'
import {
  deadlinesAreWatched,
  everyOperationHasADeadline,
  everyOperationHasAStep,
  everyStepIsHinted,
  noOperationIsOverdue,
  noStepOutlivesItsOperation,
} from './operations-advance.js'
import { quotaIsCounted } from './quota-is-counted.js'
import { everyRecordedGuestIsThere } from './records-are-on-hosts.js'
import { roomIsCounted, roomIsWholeForEach } from './room-is-counted.js'
import { everyHostedServerHoldsRoom, everyMadeServerHasAHost, roomIsHeldOnce } from './room-is-held-once.js'
import { everyDeletionIsUnderWay, noServerIsStuck, whatWasSeenIsFollowed } from './servers-come-to-rest.js'

export const recordChecks: readonly RecordCheck[] = [
  roomIsCounted,
  roomIsWholeForEach,
  roomIsHeldOnce,
  everyHostedServerHoldsRoom,
  everyMadeServerHasAHost,
  everyOperationHasAStep,
  everyOperationHasADeadline,
  noOperationIsOverdue,
  deadlinesAreWatched,
  noStepOutlivesItsOperation,
  everyStepIsHinted,
  nothingWaitsForAFencedHost,
  noServerIsStuck,
  everyDeletionIsUnderWay,
  whatWasSeenIsFollowed,
  keysNameWhatExists,
  everyHostIsTrusted,
  deletionFreesRoom,
  tombstonesAreOfHostsAway,
  quotaIsCounted,
  portsAreWithTheirServer,
  networkChangesAreTold,
  portsAreCarried,
  routersArrive,
  hostsCarryTheirNetworks,
  deletionFreesPorts,
  addressesAreLetGoOf,
  networkUseIsCounted,
]

export const hostChecks: readonly HostCheck[] = [
  oneHostRunsIt,
  everyGuestIsNamed,
  everyDiskIsNamed,
  noFolderIsAStray,
  everyRecordedGuestIsThere,
  everyGuestHasItsDisks,
  journalsAgree,
]

/** Holds every promise that the records alone can break against them. `db` is one snapshot. */
export async function examineRecords(db: Queryable, options: CheckOptions = defaultCheckOptions): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const check of recordChecks) findings.push(...(await check(db, options)))
  return findings
}

/**
 * Holds what hosts say lies on them against the records. `db` is one snapshot, begun after the last host has answered:
 * then what is found twice in a row, each time with a survey of its own, is so, however busy the cloud is. What was
 * removed between a survey and its snapshot is not in the next survey, and what was made is.
 */
export async function examineHosts(
  db: Queryable,
  surveys: readonly HostSurvey[],
  options: CheckOptions = defaultCheckOptions,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const check of hostChecks) findings.push(...(await check(db, surveys, options)))
  return findings
}

/** Both, in one snapshot that is taken now. */
export async function examine(
  database: Database,
  surveys: readonly HostSurvey[],
  options: CheckOptions = defaultCheckOptions,
): Promise<Finding[]> {
  return await database.snapshot(async (db) => [
    ...(await examineRecords(db, options)),
    ...(await examineHosts(db, surveys, options)),
  ])
}
