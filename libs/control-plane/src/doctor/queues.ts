import type { QueueSeen } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

/** What waits on these queues, or why they cannot be looked at. */
export async function lookAtQueues(queue: Queue, names: readonly string[]): Promise<{ seen: QueueSeen[]; trouble?: string }> {
  try {
    return { seen: await Promise.all(names.map(async (name) => ({ name, ...(await queue.backlog(name)) }))) }
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'Unavailable') return { seen: [], trouble: error.message }
    throw error
  }
}
