import { computeQueue, placementQueue, reportsQueue, type Answer } from '@nubo/contract'
import { systemClock, systemRandom, type Clock, type HostId } from '@nubo/kernel'
import {
  BullMqQueue,
  HostQueue,
  MemoryQueue,
  noSeal,
  type Backlog,
  type Message,
  type Queue,
  type RedisOptions,
  type Subscription,
  type WorkOptions,
} from '@nubo/queue'

/** A queue of which one can know whether something is on its way. */
export interface Carrier extends Queue {
  /** True if something waited for somebody who is there to take it; asked again and again until nothing does. */
  carries(): Promise<boolean>
}

export type OpenCarrier = (clock: Clock) => Carrier

/** Everything arrives where it is cast to, at once. */
class InMemory extends MemoryQueue implements Carrier {
  async carries(): Promise<boolean> {
    return false
  }

  /** Who was killed with a message at hand never comes to its end, and is not waited for. */
  override async close(): Promise<void> {}
}

export const inMemory: OpenCarrier = (clock) => new InMemory({ clock, onError: () => undefined })

export const overRedis =
  (redis: RedisOptions): OpenCarrier =>
  () =>
    new OverRedis(redis)

const lookAgainMs = 5
const hostPrefix = computeQueue('' as HostId)

/**
 * The control plane's end, and that of each host, as the services have them: BullMQ and the line of tickets on a real Redis, in
 * real time. Only what the messages set off happens in the time of the world.
 */
class OverRedis implements Carrier {
  private readonly ours: BullMqQueue
  private readonly hosts = new Map<HostId, HostQueue>()
  private readonly takers = new Map<string, number>()

  constructor(private readonly redis: RedisOptions) {
    this.ours = new BullMqQueue({ ...this.footing(), random: systemRandom })
  }

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      const hostId = queue === reportsQueue && (message['hostId'] as HostId | undefined)
      await (hostId ? this.host(hostId) : this.ours).cast(queue, message)
    }
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const subscription = (queue.startsWith(hostPrefix) ? this.hostOf(queue) : this.ours).work(queue, handler, options)
    this.takers.set(queue, (this.takers.get(queue) ?? 0) + 1)
    return {
      close: async () => {
        this.takers.set(queue, this.takers.get(queue)! - 1)
        await subscription.close()
      },
    }
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    return this.hostOf(queue).answer(queue, handler)
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    return await this.ours.ask(queue, question, timeoutMs)
  }

  async depth(queue: string): Promise<number> {
    return await this.ours.depth(queue)
  }

  async backlog(queue: string): Promise<Backlog> {
    return await this.ours.backlog(queue)
  }

  /** Looks twice: what was taken just before the first look is with whoever took it at the second. */
  async carries(): Promise<boolean> {
    // Whoever closes what a killed process left half done may have broken the connection off: it comes back.
    const onTheWay = () => this.onTheWay().catch(() => 1)
    if ((await onTheWay()) === 0 && (await onTheWay()) === 0) return false
    await systemClock.sleep(lookAgainMs)
    return true
  }

  async close(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.close()))
    await this.ours.close()
  }

  private async onTheWay(): Promise<number> {
    const hosts = [...this.hosts].map(([hostId, host]) => [
      this.isTaken(computeQueue(hostId)) ? this.ours.depth(computeQueue(hostId)) : 0,
      // What a host has told and no conductor has heard; in Redis it may be in its outbox, without a place in the line.
      this.isTaken(reportsQueue) ? host.depth(reportsQueue) : 0,
    ])
    const hints = this.isTaken(placementQueue) ? this.ours.depth(placementQueue) : 0
    const depths = await Promise.all([hints, ...hosts.flat()])
    return depths.reduce((sum, depth) => sum + depth, 0)
  }

  private isTaken(queue: string): boolean {
    return (this.takers.get(queue) ?? 0) > 0
  }

  private hostOf(queue: string): HostQueue {
    return this.host(queue.slice(hostPrefix.length) as HostId)
  }

  private host(hostId: HostId): HostQueue {
    let host = this.hosts.get(hostId)
    if (!host) this.hosts.set(hostId, (host = new HostQueue({ ...this.footing(), hostId })))
    return host
  }

  private footing() {
    return { redis: this.redis, seal: noSeal, clock: systemClock, onError: () => undefined }
  }
}
