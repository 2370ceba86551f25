import type { Answer } from '@nubo/contract'
import { CloudError, newId, type Clock, type Id, type Random } from '@nubo/kernel'
import { Queue as BullQueue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { runAnswer } from './answering.js'
import type { Backlog, Message, Queue, Subscription, WorkOptions } from './queue.js'
import { Reach } from './reach.js'

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
/** How long a Redis that does not answer may keep us from closing. */
const closeWithinMs = 2_000
/** How long a worker waits for a message before it asks again; one that arrives is taken at once. */
const longestWaitSeconds = 30

/**
 * The queue on BullMQ. Every message is a fresh job, removed when done or failed: repetition and order are the business
 * of the records that the messages hint at, so BullMQ's attempts and de-duplication are not used.
 */
export class BullMqQueue implements Queue {
  /** Fails fast: a producer that cannot reach Redis says so, and its sweeper casts again later. */
  private readonly producer: Redis
  private readonly redis: Reach
  private readonly queues = new Map<string, BullQueue>()
  private readonly subscriptions = new Set<Subscription>()

  constructor(private readonly options: BullMqQueueOptions) {
    this.producer = this.connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 })
    this.redis = new Reach(this.producer, options.clock)
  }

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return
    const jobs = messages.map((data) => ({ name: 'message', data, opts: { removeOnComplete: true, removeOnFail: true } }))
    await this.redis.ask(() => this.queue(queue).addBulk(jobs))
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const connection = this.connect({ maxRetriesPerRequest: null })
    const underWay = new Set<Promise<void>>()
    const take = async (message: Message) => {
      const work = handler(message)
      underWay.add(work)
      await work.finally(() => underWay.delete(work))
    }
    const worker = new Worker(queue, async (job) => await take(job.data as Message), {
      connection,
      prefix,
      concurrency: options.concurrency,
      stalledInterval: stalledCheckMs,
      drainDelay: longestWaitSeconds,
      // A message whose taker died is dropped: its record is hinted at again.
      maxStalledCount: 0,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', this.options.onError)
    worker.on('failed', (_job, error) => this.options.onError(error))
    return this.track(async () => {
      const closed = worker.close()
      await Promise.allSettled(underWay)
      // Their ends are to be noted. Where Redis does not answer, they count as lost, and whoever needs them casts again.
      await this.redis.ask(() => closed, closeWithinMs).catch(this.options.onError)
      connection.disconnect()
    })
  }

  async backlog(queue: string): Promise<Backlog> {
    return await this.redis.ask(async () => {
      const [waiting, [oldest]] = await Promise.all([this.queue(queue).getWaitingCount(), this.queue(queue).getWaiting(0, 0)])
      const sinceMs = oldest?.timestamp
      return { waiting, oldestMs: sinceMs === undefined ? 0 : Math.max(0, this.options.clock.now().getTime() - sinceMs) }
    })
  }

  async depth(queue: string): Promise<number> {
    return await this.redis.ask(() => this.queue(queue).getWaitingCount())
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    const replyTo = `${prefix}:answer:${newId<Id<'answer'>>(this.options.random)}`
    // A blocking pop holds its connection, so each question has one of its own.
    const connection = this.connect({ maxRetriesPerRequest: 1 })
    try {
      await this.redis.ask(() => this.producer.lpush(questionsKey(queue), JSON.stringify({ replyTo, question })))
      await this.redis.ask(() => this.producer.expire(questionsKey(queue), answerLifetimeSeconds))
      const reply = await this.redis.ask(() => connection.blpop(replyTo, timeoutMs / 1000), timeoutMs + closeWithinMs)
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
    await this.redis
      .ask(async () => await Promise.all([...this.queues.values()].map((queue) => queue.close())), closeWithinMs)
      .catch(this.options.onError)
    this.producer.disconnect()
  }

  private async reply(text: string, handler: (question: Message) => Promise<Answer>): Promise<void> {
    try {
      const { replyTo, question } = JSON.parse(text) as { replyTo: string; question: Message }
      const answer = await runAnswer(handler, question)
      const send = () =>
        this.producer.multi().rpush(replyTo, JSON.stringify(answer)).expire(replyTo, answerLifetimeSeconds).exec()
      await this.redis.ask(send)
    } catch (error) {
      this.options.onError(error as Error)
    }
  }

  private queue(name: string): BullQueue {
    let queue = this.queues.get(name)
    if (!queue) {
      const opened = new BullQueue(name, { connection: this.producer, prefix, skipMetasUpdate: true })
      opened.on('error', this.options.onError)
      // BullMQ greets Redis once, and for good: where the connection breaks off just then, this one never works again.
      opened.waitUntilReady().catch(() => this.queues.delete(name))
      this.queues.set(name, opened)
      queue = opened
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
}

function questionsKey(queue: string): string {
  return `${prefix}:questions:${queue}`
}
