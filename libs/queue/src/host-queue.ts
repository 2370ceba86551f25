import { asked, reportsQueue, type Answer } from '@nubo/contract'
import { assert, CloudError, type Clock, type HostId } from '@nubo/kernel'
import type { Redis } from 'ioredis'
import { runAnswer } from './answering.js'
import { checkedMessage } from './checked.js'
import { hostKeys, hostOfQueue } from './host-keys.js'
import { Outbox } from './outbox.js'
import { PartsTogether } from './parts.js'
import type { Backlog, Message, Queue, Subscription, WorkOptions } from './queue.js'
import { Reach } from './reach.js'
import { asHost, connectProducer, connectWaiter, type RedisOptions } from './redis-connection.js'
import type { Seal } from './seal.js'
import { Subscriptions } from './subscriptions.js'

export interface HostQueueOptions {
  hostId: HostId
  redis: RedisOptions
  seal: Seal
  clock: Clock
  /** Told of connection errors and of handlers that threw; nothing is thrown for them. */
  onError: (error: Error) => void
  /** How long it waits for its ticket before it takes it for lost. Default: 5 s. */
  patienceSeconds?: number
}

const pauseAfterErrorMs = 1_000
const usualPatienceSeconds = 5

/**
 * A host's end of the queue: takes its own commands and questions, and tells what it has to tell. Plain commands alone: a
 * user that may run scripts may hold up Redis for everybody.
 */
export class HostQueue implements Queue {
  private readonly producer: Redis
  private readonly redis: Reach
  private readonly outboxWaiter: Redis
  private readonly outbox: Outbox
  private readonly subscriptions = new Subscriptions()

  constructor(private readonly options: HostQueueOptions) {
    const { hostId, redis, onError, patienceSeconds = usualPatienceSeconds } = options
    this.producer = connectProducer(redis, onError, asHost)
    this.outboxWaiter = connectWaiter(redis, onError, asHost)
    this.redis = new Reach(this.producer, options.clock)
    const { producer, redis: reach, outboxWaiter: waiter } = this
    this.outbox = new Outbox({ hostId, producer, reach, waiter, onError, patienceSeconds, pause: () => this.pause() })
  }

  async cast(queue: string, message: Message): Promise<void> {
    assert(queue === reportsQueue, 'a host casts reports alone')
    const sealed = await this.options.seal.close(this.options.hostId, checkedMessage(queue, message))
    await this.outbox.put(sealed)
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    await Promise.all(messages.map((message) => this.cast(queue, message)))
  }

  async depth(queue: string): Promise<number> {
    assert(queue === reportsQueue, 'a host knows the depth of its own reports alone')
    await this.redis.ask(() => this.producer.ping())
    return this.outbox.depth
  }

  async backlog(queue: string): Promise<Backlog> {
    return { waiting: await this.depth(queue), oldestMs: 0 }
  }

  work(queue: string, handler: (message: Message) => Promise<void>, { concurrency }: WorkOptions): Subscription {
    assert(hostOfQueue(queue) === this.options.hostId, 'a host works on its own queue alone')
    return this.take(hostKeys(this.options.hostId).commands, handler, concurrency)
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    assert(hostOfQueue(queue) === this.options.hostId, 'a host answers its own questions alone')
    return this.take(hostKeys(this.options.hostId).questions, (message) => this.reply(message, handler), questionsAtOnce)
  }

  async ask(): Promise<Answer> {
    throw new CloudError('Bug', 'A host asks nobody.')
  }

  async close(): Promise<void> {
    await this.subscriptions.close()
    this.outbox.close()
    this.outboxWaiter.disconnect()
    this.producer.disconnect()
  }

  private async reply(message: Message, handler: (question: Message) => Promise<Answer>): Promise<void> {
    const { questionId, question } = asked.parse(message)
    const answer = await runAnswer(handler, question)
    await this.cast(reportsQueue, { kind: 'answer', hostId: this.options.hostId, questionId, answer })
  }

  /** Takes from a list of texts, `concurrency` at the most at the same time. */
  private take(key: string, handler: (message: Message) => Promise<void>, concurrency: number): Subscription {
    const waiter = connectWaiter(this.options.redis, this.options.onError, asHost)
    const running = new Set<Promise<void>>()
    const parts = new PartsTogether()
    let open = true
    const run = async () => {
      while (open) {
        try {
          const taken = await waiter.blmpop(0, 1, key, 'LEFT', 'COUNT', concurrency - running.size)
          for (const part of taken?.[1] ?? []) {
            const text = parts.take(part)
            if (text === undefined) continue
            const work = this.handle(text, handler).finally(() => running.delete(work))
            running.add(work)
          }
          if (running.size >= concurrency) await Promise.race(running)
        } catch (error) {
          if (!open) return
          this.options.onError(error as Error)
          await this.pause()
        }
      }
    }
    void run()
    return this.subscriptions.track(async () => {
      open = false
      waiter.disconnect()
      await Promise.all(running)
    })
  }

  private async handle(text: string, handler: (message: Message) => Promise<void>): Promise<void> {
    try {
      const message = await this.options.seal.open(this.options.hostId, text)
      if (message) await handler(message)
    } catch (error) {
      this.options.onError(error as Error)
    }
  }

  private async pause(): Promise<void> {
    await this.options.clock.sleep(pauseAfterErrorMs)
  }
}

const questionsAtOnce = 8
