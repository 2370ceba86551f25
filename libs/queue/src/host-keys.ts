import { computeQueue } from '@nubo/contract'
import { isUuid, type HostId } from '@nubo/kernel'

/** All keys begin with this, so that Redis users can be confined by pattern. */
export const keyPrefix = 'nubo'

/** The hosts that have something to tell, in the order in which they came: a list of tickets. */
export const lineKey = `${keyPrefix}:line`

const outboxPrefix = `${keyPrefix}:outbox:`
export const outboxPattern = `${outboxPrefix}*`

/** What lies in Redis of one host. `deploy` confines hosts' users to these keys. */
export function hostKeys(hostId: string) {
  return {
    /** A list: commands wait here for the host. */
    commands: `${keyPrefix}:commands:${hostId}`,
    /** A list: questions wait here for the host. */
    questions: `${keyPrefix}:questions:${hostId}`,
    /** A string: what the host has to tell, until a conductor takes it. */
    outbox: `${outboxPrefix}${hostId}`,
    /** A list of at most one ticket, the host's id: at home while nothing of the host waits or is handled. */
    ticket: `${keyPrefix}:ticket:${hostId}`,
  }
}

/** Says for a while that somebody waits for the answer to this question: what nobody asked is answered to nobody. */
export function askedKey(hostId: string, questionId: string): string {
  return `${keyPrefix}:asked:${hostId}:${questionId}`
}

/** Where the answer to one question is put: by a conductor, which knows whose answer it is. */
export function answerKey(hostId: string, questionId: string): string {
  return `${keyPrefix}:answer:${hostId}:${questionId}`
}

export function hostOfOutbox(key: string): HostId | undefined {
  const hostId = key.slice(outboxPrefix.length)
  return isUuid(hostId) ? (hostId as HostId) : undefined
}

const computePrefix = computeQueue('' as HostId)

/** The host that takes from this queue; undefined for a queue within the control plane. */
export function hostOfQueue(queue: string): HostId | undefined {
  const hostId = queue.slice(computePrefix.length)
  return queue.startsWith(computePrefix) && isUuid(hostId) ? (hostId as HostId) : undefined
}
