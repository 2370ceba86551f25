import { counted } from '@nubo/kernel'
import type { CheckOptions } from './check.js'
import { finding, type Finding } from './finding.js'

/** A queue that hints or reports go to, as it was seen. */
export interface QueueSeen {
  name: string
  /** Messages that nobody took yet. */
  waiting: number
  oldestMs: number
}

/** Promise 3: what is hinted at and what hosts report is taken. A hint that is lost is cast again; one that lies there helps nobody. */
export function everyQueueIsRead(queues: readonly QueueSeen[], { graceMs }: Pick<CheckOptions, 'graceMs'>): Finding[] {
  return queues
    .filter(({ oldestMs }) => oldestMs > graceMs)
    .map(({ name, waiting, oldestMs }) =>
      finding('queue.unread', {
        about: { queue: name },
        message: `${counted(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'} on the queue ${name}, the oldest for ${Math.round(oldestMs / 1000)} s.`,
      }),
    )
}

/** Promise 3 does not rest on the queue, but everything waits while it is away. */
export function queueIsAway(trouble: string): Finding {
  return finding('queue.unreachable', { about: {}, message: `The queue cannot be looked at: ${trouble}` })
}
