import { reportsQueue } from '@nubo/contract'
import type { Message, Queue } from '@nubo/queue'
import type { Chance } from '../core/chance.js'
import type { Redis } from '../core/redis.js'

const keptAtMost = 100

/** What a host has told the conductors, over all of its agents: for one that says it again. */
export class Told {
  private readonly reports: Message[] = []

  constructor(
    private readonly redis: Redis,
    private readonly chance: Chance,
  ) {}

  /** The queue, with a note of each report that is cast there. */
  noting(queue: Queue): Queue {
    const castAll: Queue['castAll'] = async (name, messages) => {
      if (name === reportsQueue) this.note(messages)
      await queue.castAll(name, messages)
    }
    const noting: Partial<Queue> = { castAll, cast: (name, message) => castAll(name, [message]) }
    return Object.assign(Object.create(queue) as Queue, noting)
  }

  repeat(count: number): void {
    for (let i = 0; i < count && this.reports.length > 0; i++) this.redis.put(reportsQueue, this.chance.pick(this.reports))
  }

  private note(messages: readonly Message[]): void {
    this.reports.push(...messages.filter(({ kind }) => kind !== 'answer'))
    this.reports.splice(0, this.reports.length - keptAtMost)
  }
}
