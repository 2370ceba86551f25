import type { KeyObject } from 'node:crypto'
import { computeQueue, reportsQueue, type Answer } from '@nubo/contract'
import { enrolHostKey, type Database } from '@nubo/database'
import { systemClock, type HostId } from '@nubo/kernel'
import {
  hostKeys,
  HostQueue,
  type Backlog,
  type Message,
  type Queue,
  type RedisOptions,
  type Subscription,
  type WorkOptions,
} from '@nubo/queue'
import { Redis } from 'ioredis'
import { newHostKey, signingSeal } from '../support/signing-host.js'

export interface HostsQueueOptions {
  /** The control plane's own end. */
  ours: Queue
  redis: RedisOptions
  database: Database
  controlPlaneKey: KeyObject
}

const isComputeQueue = (queue: string) => queue.startsWith(computeQueue('' as HostId))

/** The control plane's end, and that of every host that a test plays: each is enrolled when it is first heard of. */
export class HostsQueue implements Queue {
  private readonly hosts = new Map<HostId, { queue: HostQueue; enrolled: Promise<void> }>()
  private readonly redis: Redis

  constructor(private readonly options: HostsQueueOptions) {
    this.redis = new Redis({ ...options.redis })
    this.redis.on('error', () => undefined)
  }

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    if (queue !== reportsQueue) return await this.options.ours.castAll(queue, messages)
    for (const message of messages) {
      const host = this.host(message['hostId'] as HostId)
      await host.enrolled
      await host.queue.cast(queue, message)
    }
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    return (isComputeQueue(queue) ? this.hostOf(queue) : this.options.ours).work(queue, handler, options)
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    return this.hostOf(queue).answer(queue, handler)
  }

  async depth(queue: string): Promise<number> {
    return await this.options.ours.depth(queue)
  }

  async backlog(queue: string): Promise<Backlog> {
    return await this.options.ours.backlog(queue)
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    return await this.options.ours.ask(queue, question, timeoutMs)
  }

  async close(): Promise<void> {
    await Promise.all([...this.hosts.values()].map(({ queue }) => queue.close()))
    await this.options.ours.close()
    this.redis.disconnect()
  }

  private hostOf(queue: string): HostQueue {
    return this.host(queue.slice(computeQueue('' as HostId).length) as HostId).queue
  }

  private host(hostId: HostId) {
    const known = this.hosts.get(hostId)
    if (known) return known
    const { redis, controlPlaneKey } = this.options
    const { privateKey, publicKeyPem } = newHostKey()
    const seal = signingSeal(privateKey, controlPlaneKey)
    const queue = new HostQueue({ hostId, redis, seal, clock: systemClock, onError: () => undefined })
    const host = { queue, enrolled: this.enrol(hostId, publicKeyPem) }
    this.hosts.set(hostId, host)
    return host
  }

  /** It has its ticket at home, as a host that a conductor heard before: the others are found by looks seconds apart. */
  private async enrol(hostId: HostId, publicKeyPem: string): Promise<void> {
    await enrolHostKey(this.options.database, hostId, publicKeyPem, null)
    await this.redis.rpush(hostKeys(hostId).ticket, hostId)
  }
}
