import type { Answer } from '@nubo/contract'
import { CloudError, type Clock } from '@nubo/kernel'
import { runAnswer } from './answering.js'
import type { Backlog, Message, Queue, Subscription, WorkOptions } from './queue.js'

interface Lane {
  waiting: { message: Message; castMs: number }[]
  workers: Set<{ handler: (message: Message) => Promise<void>; free: number }>
}

export interface MemoryQueueOptions {
  clock: Clock
  onError: (error: Error) => void
}

/** The queue within one process: for tests and simulations, and with no promise that the real one does not give. */
export class MemoryQueue implements Queue {
  private readonly lanes = new Map<string, Lane>()
  private readonly answerers = new Map<string, (question: Message) => Promise<Answer>>()
  private readonly running = new Set<Promise<void>>()

  constructor(private readonly options: MemoryQueueOptions) {}

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    // Through JSON, as on the wire: what JSON cannot carry must not get through here either.
    const castMs = this.options.clock.monotonicMs()
    for (const message of messages)
      this.lane(queue).waiting.push({ message: JSON.parse(JSON.stringify(message)) as Message, castMs })
    this.hand(queue)
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const worker = { handler, free: options.concurrency }
    const lane = this.lane(queue)
    lane.workers.add(worker)
    this.hand(queue)
    return {
      close: async () => {
        lane.workers.delete(worker)
        await Promise.all(this.running)
      },
    }
  }

  async depth(queue: string): Promise<number> {
    return this.lane(queue).waiting.length
  }

  async backlog(queue: string): Promise<Backlog> {
    const { waiting } = this.lane(queue)
    const [oldest] = waiting
    return { waiting: waiting.length, oldestMs: oldest ? this.options.clock.monotonicMs() - oldest.castMs : 0 }
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    const handler = this.answerers.get(queue)
    const abort = new AbortController()
    const late = async (): Promise<Answer> => {
      await this.options.clock.sleep(timeoutMs, abort.signal)
      throw new CloudError('Unavailable', `No answer came within ${timeoutMs / 1000} s.`)
    }
    if (!handler) return await late()
    try {
      return await Promise.race([runAnswer(handler, question), late()])
    } finally {
      abort.abort()
    }
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    this.answerers.set(queue, handler)
    return {
      close: async () => {
        this.answerers.delete(queue)
      },
    }
  }

  async close(): Promise<void> {
    for (const lane of this.lanes.values()) lane.workers.clear()
    await Promise.all(this.running)
  }

  private lane(queue: string): Lane {
    let lane = this.lanes.get(queue)
    if (!lane) this.lanes.set(queue, (lane = { waiting: [], workers: new Set() }))
    return lane
  }

  private hand(queue: string): void {
    const lane = this.lane(queue)
    for (const worker of lane.workers) {
      while (worker.free > 0 && lane.waiting.length > 0) {
        const { message } = lane.waiting.shift()!
        worker.free--
        const run = worker
          .handler(message)
          .catch(this.options.onError)
          .finally(() => {
            worker.free++
            this.running.delete(run)
            this.hand(queue)
          })
        this.running.add(run)
      }
    }
  }
}
