import { answered, hearingMark, type Answered } from '@nubo/contract'
import { CloudError, isUuid, Limiter, Rounds, type Clock, type HostId } from '@nubo/kernel'
import type { Redis } from 'ioredis'
import { readBatch } from './batches.js'
import { answerKey, askedKey, hostKeys, hostOfOutbox, lineKey, outboxPattern } from './host-keys.js'
import { ListWaiter } from './list-waiter.js'
import type { Message } from './queue.js'
import { longestValueBytes } from './parts.js'
import type { Reach } from './reach.js'
import { sendInOrder, type RedisCommand } from './redis-connection.js'
import type { Seal } from './seal.js'

export interface HostLineOptions {
  producer: Redis
  reach: Reach
  /** Of its own: it waits in Redis for the next host. */
  waiter: Redis
  seal: Seal
  clock: Clock
  concurrency: number
  handler: (message: Message) => Promise<void>
  onError: (error: Error) => void
}

const answerLifetimeSeconds = 30
/** Between two looks for hosts that lost their place: the longer while there are none. */
const lookAroundMs = { busy: 1_000, idle: 5_000 }
const pauseAfterErrorMs = 1_000
/** A host that told what is not believed, or what nobody can take in, waits for its ticket: it costs work, and gains nothing by being quick. */
const penaltyMs = 1_000

/**
 * A conductor's end of what hosts tell: serves the hosts in line, each one batch at a time, and gives each its ticket back
 * when that batch is handled. So however much a host tells, the others wait for one batch of it.
 */
export class HostLine {
  private readonly limiter: Limiter
  private readonly served = new Map<HostId, Promise<void>>()
  private readonly looks: Rounds
  private readonly line: ListWaiter
  private readonly running: Promise<void>
  private lookAgainMs = lookAroundMs.busy
  private open = true

  constructor(private readonly options: HostLineOptions) {
    const { clock, concurrency, onError, producer, reach, waiter } = options
    this.line = new ListWaiter({ key: lineKey, waiter, producer, reach })
    this.limiter = new Limiter(concurrency)
    this.looks = new Rounds(() => this.lookAround(), {
      clock,
      pauseMs: () => this.lookAgainMs,
      onError: (error) => onError(error as Error),
    })
    this.running = this.run()
    this.looks.start()
  }

  /** Waits for what is being handled. Who is in line stays there, for another conductor. */
  async close(): Promise<void> {
    this.open = false
    await Promise.all([this.looks.stop(), this.line.callBack().catch(this.options.onError)])
    await this.running
    await Promise.all(this.served.values())
  }

  private async run(): Promise<void> {
    const { concurrency, onError, clock } = this.options
    while (this.open) {
      try {
        for (const ticket of await this.line.take(concurrency - this.served.size)) this.call(ticket)
        if (this.served.size >= concurrency) await Promise.race(this.served.values())
      } catch (error) {
        if (!this.open) return
        onError(error as Error)
        await clock.sleep(pauseAfterErrorMs)
      }
    }
  }

  /** A second ticket of a host that is being served is torn up. */
  private call(ticket: string): void {
    const hostId = ticket as HostId
    if (!isUuid(ticket)) return void this.limiter.run(() => this.hearOurselves(ticket)).catch(this.options.onError)
    if (this.served.has(hostId)) return
    const work = this.serve(hostId)
      .catch(this.options.onError)
      .finally(() => this.served.delete(hostId))
    this.served.set(hostId, work)
  }

  /** The control plane stands in line too, to learn whether hosts are heard. Nothing else is believed without a signature. */
  private async hearOurselves(text: string): Promise<void> {
    await this.options.handler(hearingMark.parse(JSON.parse(text)))
  }

  private async serve(hostId: HostId): Promise<void> {
    const { clock } = this.options
    const { outbox } = hostKeys(hostId)
    let believed = false
    try {
      const [text] = await this.send([
        ['getdel', outbox],
        ['lrem', lineKey, 0, hostId],
      ])
      believed = await this.hear(hostId, text as string | null)
    } finally {
      if (believed) await this.giveTicket(hostId)
      else clock.after(penaltyMs, () => void this.giveTicket(hostId).catch(this.options.onError), { background: true })
    }
  }

  /** Exactly one, whatever was there. */
  private async giveTicket(hostId: HostId): Promise<void> {
    const { ticket } = hostKeys(hostId)
    await this.send([
      ['del', ticket],
      ['rpush', ticket, hostId],
    ])
  }

  /** True where everything was what this host may say, and was taken in. */
  private async hear(hostId: HostId, text: string | null): Promise<boolean> {
    const batch = text === null ? [] : readBatch(text)
    const heard = await Promise.all(batch.map((each) => this.limiter.run(() => this.handle(hostId, each))))
    return !heard.includes(false)
  }

  /** False for what was not believed, or could not be taken in. */
  private async handle(hostId: HostId, text: string): Promise<boolean> {
    try {
      const message = await this.options.seal.open(hostId, text)
      if (message?.['kind'] === 'answer') await this.passOn(hostId, answered.parse(message))
      else if (message) await this.options.handler(message)
      return message !== undefined
    } catch (error) {
      this.options.onError(error as Error)
      // That we could not take it in is not the host's doing; that it could not be taken in may be.
      return error instanceof CloudError && error.kind === 'Unavailable'
    }
  }

  /**
   * Puts an answer where it is waited for, once. The key names the host, so none can answer what another was asked, nor fill
   * Redis with what nobody asked.
   */
  private async passOn(hostId: HostId, { questionId, answer }: Answered): Promise<void> {
    const [isAwaited] = await this.send([['getdel', askedKey(hostId, questionId)]])
    const text = JSON.stringify(answer)
    // Numbers may be longer here than they were told: Redis would end our connection for a value that it does not take.
    if (isAwaited === null || Buffer.byteLength(text) > longestValueBytes) return
    const key = answerKey(hostId, questionId)
    await this.send([
      ['rpush', key, text],
      ['expire', key, answerLifetimeSeconds],
    ])
  }

  /** Puts into the line who has something in its outbox and no ticket: those were lost, or never given. */
  private async lookAround(): Promise<void> {
    const { producer, reach } = this.options
    let cursor = '0'
    let found = 0
    do {
      const [next, keys] = await reach.ask(() => producer.scan(cursor, 'MATCH', outboxPattern, 'COUNT', 1_000))
      cursor = next
      const hosts = keys.map(hostOfOutbox).filter((hostId): hostId is HostId => hostId !== undefined && !this.served.has(hostId))
      const places = await this.send(hosts.map((hostId) => ['lpos', lineKey, hostId]))
      const forgotten = hosts.filter((_, index) => places[index] === null)
      found += forgotten.length
      await this.send(
        forgotten.flatMap((hostId): RedisCommand[] => [
          ['del', hostKeys(hostId).ticket],
          ['rpush', lineKey, hostId],
        ]),
      )
    } while (cursor !== '0' && this.open)
    this.lookAgainMs = found > 0 ? lookAroundMs.busy : Math.min(this.lookAgainMs * 2, lookAroundMs.idle)
  }

  private async send(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (commands.length === 0) return []
    return await this.options.reach.ask(() => sendInOrder(this.options.producer, commands))
  }
}
