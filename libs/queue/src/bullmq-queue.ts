import { reportsQueue, type Answer } from '@nubo/contract'
import { assert, CloudError, isUuid, newId, type Clock, type HostId, type Id, type Random } from '@nubo/kernel'
import { Queue as BullQueue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { checkedMessage, checkedQuestion } from './checked.js'
import { answerKey, askedKey, hostKeys, hostOfQueue, keyPrefix, lineKey } from './host-keys.js'
import { HostLine } from './host-line.js'
import { inParts } from './parts.js'
import type { Backlog, Message, Queue, Subscription, WorkOptions } from './queue.js'
import { Reach } from './reach.js'
import { connectProducer, connectWaiter, sendInOrder, type RedisCommand, type RedisOptions } from './redis-connection.js'
import type { Seal } from './seal.js'
import { Subscriptions } from './subscriptions.js'

export interface BullMqQueueOptions {
  redis: RedisOptions
  /** For what goes to hosts and comes from them. */
  seal: Seal
  clock: Clock
  random: Random
  /** Told of connection errors and of handlers that threw; nothing is thrown for them. */
  onError: (error: Error) => void
}

/** What is put in line among the hosts' tickets. */
interface Timed {
  castMs?: number
}

const answerLifetimeSeconds = 30
const stalledCheckMs = 30_000
const jobName = 'message'
const jobOptions = { removeOnComplete: true, removeOnFail: true }
/** How long a Redis that does not answer may keep us from closing. */
const closeWithinMs = 2_000
/** How long a worker waits for a message before it asks again; one that arrives is taken at once. */
const longestWaitSeconds = 30
/** Commands that wait for one host. Beyond it the oldest go: the sweeper casts again what is still to be done. */
const mostCommands = 4_096

/**
 * The control plane's end of the queue. Within the control plane it is BullMQ, with every message a fresh job, removed when
 * done or failed: repetition and order are the business of the records that the messages hint at, so BullMQ's attempts and
 * de-duplication are not used. To and from hosts it is plain lists, which Redis can confine a host to.
 */
export class BullMqQueue implements Queue {
  /** Fails fast: a producer that cannot reach Redis says so, and its sweeper casts again later. */
  private readonly producer: Redis
  private readonly redis: Reach
  private readonly queues = new Map<string, BullQueue>()
  private readonly subscriptions = new Subscriptions()

  constructor(private readonly options: BullMqQueueOptions) {
    this.producer = connectProducer(options.redis, options.onError)
    this.redis = new Reach(this.producer, options.clock)
  }

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return
    for (const message of messages) checkedMessage(queue, message)
    const hostId = hostOfQueue(queue)
    if (hostId) return await this.command(hostId, messages)
    // What the control plane tells itself on the way that reports take has no host to be asked for: it stands in line itself.
    if (queue === reportsQueue) return await this.send([['rpush', lineKey, ...messages.map((each) => this.timed(each))]])
    await this.redis.ask(() => this.add(this.queue(queue), messages))
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    assert(!hostOfQueue(queue), 'a host takes its commands itself')
    return queue === reportsQueue ? this.hearHosts(handler, options) : this.takeJobs(queue, handler, options)
  }

  async backlog(queue: string): Promise<Backlog> {
    // Commands bear no time: they are what is wanted now, or is cast again.
    if (hostOfQueue(queue)) return { waiting: await this.depth(queue), oldestMs: 0 }
    if (queue === reportsQueue) return await this.backlogOfLine()
    return await this.redis.ask(async () => {
      const [waiting, [oldest]] = await Promise.all([this.queue(queue).getWaitingCount(), this.queue(queue).getWaiting(0, 0)])
      return { waiting, oldestMs: this.ageMs(oldest?.timestamp) }
    })
  }

  /** Hosts' tickets bear no time. What the control plane puts between them does: a host before it has waited for longer. */
  private async backlogOfLine(): Promise<Backlog> {
    const places = await this.redis.ask(() => this.producer.lrange(lineKey, 0, -1))
    const ours = places.find((place) => !isUuid(place))
    return { waiting: places.length, oldestMs: ours === undefined ? 0 : this.ageMs((JSON.parse(ours) as Timed).castMs) }
  }

  private timed(message: Message): string {
    return JSON.stringify({ ...message, castMs: this.options.clock.now().getTime() } satisfies Message & Timed)
  }

  private ageMs(sinceMs: number | undefined): number {
    return sinceMs === undefined ? 0 : Math.max(0, this.options.clock.now().getTime() - sinceMs)
  }

  /** Of the reports: how many hosts wait to be heard. */
  async depth(queue: string): Promise<number> {
    const hostId = hostOfQueue(queue)
    const list = queue === reportsQueue ? lineKey : hostId && hostKeys(hostId).commands
    return await this.redis.ask(() => (list ? this.producer.llen(list) : this.queue(queue).getWaitingCount()))
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    const hostId = hostOfQueue(queue)
    assert(hostId, 'only hosts are asked')
    const questionId = newId<Id<'question'>>(this.options.random)
    const { questions } = hostKeys(hostId)
    const text = await this.options.seal.close(hostId, checkedQuestion(queue, { questionId, question }))
    // A blocking pop holds its connection, so each question has one of its own.
    const connection = connectWaiter(this.options.redis, this.options.onError, { maxRetriesPerRequest: 1 })
    try {
      await this.send([
        ['set', askedKey(hostId, questionId), '', 'EX', answerLifetimeSeconds],
        ['rpush', questions, text],
        ['expire', questions, answerLifetimeSeconds],
      ])
      const awaited = () => connection.blpop(answerKey(hostId, questionId), timeoutMs / 1000)
      const reply = await this.redis.ask(awaited, timeoutMs + closeWithinMs)
      if (!reply) throw new CloudError('Unavailable', `No answer came within ${timeoutMs / 1000} s.`)
      return JSON.parse(reply[1]) as Answer
    } finally {
      connection.disconnect()
    }
  }

  answer(): Subscription {
    throw new CloudError('Bug', 'Only hosts answer questions.')
  }

  async close(): Promise<void> {
    await this.subscriptions.close()
    await this.redis
      .ask(async () => await Promise.all([...this.queues.values()].map((queue) => queue.close())), closeWithinMs)
      .catch(this.options.onError)
    this.producer.disconnect()
  }

  private async command(hostId: HostId, messages: readonly Message[]): Promise<void> {
    const { commands } = hostKeys(hostId)
    const texts = await Promise.all(messages.map((message) => this.options.seal.close(hostId, message)))
    const values = texts.flatMap((text) => inParts(text, () => newId<Id<'parts'>>(this.options.random)))
    await this.send([
      ['rpush', commands, ...values],
      ['ltrim', commands, -mostCommands, -1],
    ])
  }

  /** One job by a command of its own: many by a pipeline, which costs more than a job to make. */
  private async add(queue: BullQueue, messages: readonly Message[]): Promise<void> {
    if (messages.length === 1) await queue.add(jobName, messages[0], jobOptions)
    else await queue.addBulk(messages.map((data) => ({ name: jobName, data, opts: jobOptions })))
  }

  private async send(commands: readonly RedisCommand[]): Promise<void> {
    await this.redis.ask(() => sendInOrder(this.producer, commands))
  }

  private hearHosts(handler: (message: Message) => Promise<void>, { concurrency }: WorkOptions): Subscription {
    const { redis, seal, clock, onError } = this.options
    const waiter = connectWaiter(redis, onError)
    const { producer } = this
    const line = new HostLine({ producer, reach: this.redis, waiter, seal, clock, concurrency, handler, onError })
    return this.subscriptions.track(() => line.close())
  }

  private takeJobs(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const connection = connectWaiter(this.options.redis, this.options.onError)
    const underWay = new Set<Promise<void>>()
    const take = async (message: Message) => {
      const work = handler(message)
      underWay.add(work)
      await work.finally(() => underWay.delete(work))
    }
    const worker = new Worker(queue, async (job) => await take(job.data as Message), {
      connection,
      prefix: keyPrefix,
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
    return this.subscriptions.track(async () => {
      const closed = worker.close()
      await Promise.allSettled(underWay)
      // Their ends are to be noted. Where Redis does not answer, they count as lost, and whoever needs them casts again.
      await this.redis.ask(() => closed, closeWithinMs).catch(this.options.onError)
      connection.disconnect()
    })
  }

  private queue(name: string): BullQueue {
    let queue = this.queues.get(name)
    if (!queue) {
      const opened = new BullQueue(name, { connection: this.producer, prefix: keyPrefix, skipMetasUpdate: true })
      opened.on('error', this.options.onError)
      // BullMQ greets Redis once, and for good: where the connection breaks off just then, this one never works again.
      opened.waitUntilReady().catch(() => this.queues.delete(name))
      this.queues.set(name, opened)
      queue = opened
    }
    return queue
  }
}
