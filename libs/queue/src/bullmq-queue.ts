import type { Answer } from '@nubo/contract'
import { CloudError, newId, type Clock, type Id, type Random } from '@nubo/kernel'
import { Queue as BullQueue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { runAnswer } from './answering.js'
import type { Message, Queue, Subscription, WorkOptions } from './queue.js'

export interface RedisOptions {
  host: string
  port: number
  username?: string
  password?: string
}

export interface BullMqQueueOptions {
  redis: RedisOptions
  clock: Clock
  random: Random
  /** Told of connection errors and of handlers that threw; nothing is thrown for them. */
  onError: (error: Error) => void
}

/** All keys begin with this, so that Redis users can be confined by pattern. */
const prefix = 'nubo'
const answerLifetimeSeconds = 30
const stalledCheckMs = 30_000

/**
 * The queue on BullMQ. Every message is a fresh job, removed when done or failed: repetition and order are the business
 * of the records that the messages hint at, so BullMQ's attempts and de-duplication are not used.
 */
export class BullMqQueue implements Queue {
  /** Fails fast: a producer that cannot reach Redis says so, and its sweeper casts again later. */
  private readonly producer: Redis
  private readonly queues = new Map<string, BullQueue>()
  private readonly subscriptions = new Set<Subscription>()

  constructor(private readonly options: BullMqQueueOptions) {
    this.producer = this.connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  }

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return
    const jobs = messages.map((data) => ({ name: 'message', data, opts: { removeOnComplete: true, removeOnFail: true } }))
    await this.reach(() => this.queue(queue).addBulk(jobs))
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const connection = this.connect({ maxRetriesPerRequest: null })
    const worker = new Worker(queue, async (job) => await handler(job.data as Message), {
      connection,
      prefix,
      concurrency: options.concurrency,
      stalledInterval: stalledCheckMs,
      // A message whose taker died is dropped: its record is hinted at again.
      maxStalledCount: 0,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', this.options.onError)
    worker.on('failed', (_job, error) => this.options.onError(error))
    return this.track(async () => {
      await worker.close()
      connection.disconnect()
    })
  }

  async depth(queue: string): Promise<number> {
    return await this.reach(() => this.queue(queue).getWaitingCount())
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    const replyTo = `${prefix}:answer:${newId<Id<'answer'>>(this.options.random)}`
    // A blocking pop holds its connection, so each question has one of its own.
    const connection = this.connect({ maxRetriesPerRequest: 1 })
    try {
      await this.reach(() => this.producer.lpush(questionsKey(queue), JSON.stringify({ replyTo, question })))
      await this.reach(() => this.producer.expire(questionsKey(queue), answerLifetimeSeconds))
      const reply = await this.reach(() => connection.blpop(replyTo, timeoutMs / 1000))
      if (!reply) throw new CloudError('Unavailable', `No answer came within ${timeoutMs / 1000} s.`)
      return JSON.parse(reply[1]) as Answer
    } finally {
      connection.disconnect()
    }
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    const connection = this.connect({ maxRetriesPerRequest: null })
    let open = true
    const listen = async () => {
      while (open) {
        try {
          const taken = await connection.blpop(questionsKey(queue), 0)
          if (taken) void this.reply(taken[1], handler)
        } catch (error) {
          if (!open) return
          this.options.onError(error as Error)
          await this.options.clock.sleep(1000)
        }
      }
    }
    void listen()
    return this.track(async () => {
      open = false
      connection.disconnect()
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()))
    await Promise.all([...this.queues.values()].map((queue) => queue.close().catch(this.options.onError)))
    this.producer.disconnect()
  }

  private async reply(text: string, handler: (question: Message) => Promise<Answer>): Promise<void> {
    try {
      const { replyTo, question } = JSON.parse(text) as { replyTo: string; question: Message }
      const answer = await runAnswer(handler, question)
      await this.producer.multi().rpush(replyTo, JSON.stringify(answer)).expire(replyTo, answerLifetimeSeconds).exec()
    } catch (error) {
      this.options.onError(error as Error)
    }
  }

  private queue(name: string): BullQueue {
    let queue = this.queues.get(name)
    if (!queue) {
      queue = new BullQueue(name, { connection: this.producer, prefix, skipMetasUpdate: true })
      queue.on('error', this.options.onError)
      this.queues.set(name, queue)
    }
    return queue
  }

  private connect(options: { enableOfflineQueue?: boolean; maxRetriesPerRequest: number | null }): Redis {
    const redis = new Redis({ ...this.options.redis, ...options, retryStrategy: (attempt) => Math.min(attempt * 50, 1000) })
    redis.on('error', this.options.onError)
    return redis
  }

  private track(close: () => Promise<void>): Subscription {
    const subscription: Subscription = {
      close: async () => {
        if (this.subscriptions.delete(subscription)) await close()
      },
    }
    this.subscriptions.add(subscription)
    return subscription
  }

  private async reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof CloudError) throw error
      throw new CloudError('Unavailable', 'The queue cannot be reached at the moment. Try again shortly.', { cause: error })
    }
  }
}

function questionsKey(queue: string): string {
  return `${prefix}:questions:${queue}`
}
