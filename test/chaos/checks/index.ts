import { quotaIsCounted, roomIsCounted } from './counters.js'
import { domainsEqualRecords, processesEqualDomains } from './domains.js'
import { journalsAreAcknowledged, nothingIsLeft } from './leftovers.js'
import { promisesHold } from './promises.js'
import { acceptedRequestsEnded, answersWereHonest, nothingIsLive, serversAreSettled } from './requests.js'

export type { Check, Scene } from './check.js'
export { Bystanders } from './bystanders.js'
export { Watch } from './watch.js'
export { journalsAreAcknowledged, nothingIsLive }

/** What holds whenever the cloud is at rest. */
export const checksAtRest = [
  ...[acceptedRequestsEnded, nothingIsLive, answersWereHonest, serversAreSettled, journalsAreAcknowledged],
  ...[promisesHold, roomIsCounted, quotaIsCounted],
  ...[domainsEqualRecords, processesEqualDomains],
]

/** What holds besides when every server was deleted. */
export const checksWhenEmpty = [nothingIsLive, promisesHold, nothingIsLeft]
