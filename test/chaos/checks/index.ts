import { quotaIsCounted, roomIsCounted } from './counters.js'
import { nothingDiedByItself } from './deaths.js'
import { domainsEqualRecords, processesEqualDomains } from './domains.js'
import { networksLeaveNothing, plansAreApplied, tapsEqualPorts } from './host-networks.js'
import { journalsAreAcknowledged, nothingIsLeft } from './leftovers.js'
import { doctorIsContent, promisesHold } from './promises.js'
import { queuesKeepNothing } from './queues.js'
import {
  acceptedRequestsEnded,
  answersWereHonest,
  keysMadeOneServer,
  moreWasDoneThanFailed,
  nothingIsLive,
  serversAreSettled,
} from './requests.js'

export type { Check, Scene } from './check.js'
export { Bystanders } from './bystanders.js'
export { Watch } from './watch.js'
export { noServerRunsTwice, recordsAlwaysHold } from './watched.js'
export { journalsAreAcknowledged, nothingIsLive, plansAreApplied }

/** What holds whenever the cloud is at rest. */
export const checksAtRest = [
  ...[acceptedRequestsEnded, moreWasDoneThanFailed, keysMadeOneServer, nothingIsLive, answersWereHonest, serversAreSettled],
  journalsAreAcknowledged,
  ...[doctorIsContent, promisesHold, roomIsCounted, quotaIsCounted],
  ...[domainsEqualRecords, processesEqualDomains, plansAreApplied, tapsEqualPorts, nothingDiedByItself],
]

/** What holds besides when every server was deleted. */
export const checksWhenEmpty = [
  nothingIsLive,
  doctorIsContent,
  promisesHold,
  nothingIsLeft,
  plansAreApplied,
  networksLeaveNothing,
  queuesKeepNothing,
]
