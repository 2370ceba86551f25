import { CloudError, type HostId } from '@nubo/kernel'
import type { Redis } from 'ioredis'
import { takeBatch, writeBatch } from './batches.js'
import { hostKeys, lineKey } from './host-keys.js'
import type { Reach } from './reach.js'
import { sendInOrder } from './redis-connection.js'

export interface OutboxOptions {
  hostId: HostId
  producer: Redis
  reach: Reach
  /** Of its own: it waits in Redis for the ticket. */
  waiter: Redis
  onError: (error: Error) => void
  /** Waits before it tries again after an error. */
  pause: () => Promise<unknown>
  /** How long it waits for a ticket that it has had before. */
  patienceSeconds: number
}

interface Waiting {
  text: string
  settle: (error?: CloudError) => void
}

/** Beyond this, reports are refused: whoever made them has them still, and makes them again. */
const mostWaiting = 1_000
/**
 * Without a ticket for so long, what is to be told is put in the outbox all the same: conductors look there too. At first
 * nobody has given this host one yet.
 */
const firstPatienceSeconds = 0.1

/**
 * A host's way of telling things. It writes what it has into its outbox, the one key that it may write, and moves its
 * ticket, which it can move but not make, into the line. So the most that a host can pile up in Redis is one outbox and one
 * place in the line, whatever it does. What comes up while the ticket is out goes with the next batch.
 */
export class Outbox {
  private readonly waiting: Waiting[] = []
  private hasTicket = false
  /** No ticket came for so long that it may be lost, and with it what was told last. */
  private mayBeLost = false
  private patienceSeconds = firstPatienceSeconds
  private open = true
  private wake: () => void = () => undefined

  constructor(private readonly options: OutboxOptions) {
    options.producer.on('close', () => this.refuse(this.waiting.splice(0), 'The queue cannot be reached at the moment.'))
    void this.run()
  }

  /** Resolves when the text is in the outbox. Throws `Unavailable` where it does not get there. */
  async put(text: string): Promise<void> {
    await this.options.reach.ask(async () => undefined)
    if (this.waiting.length >= mostWaiting) throw unavailable('Too much waits to be told: the control plane is behind.')
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ text, settle: (error) => (error ? reject(error) : resolve()) })
      this.wake()
    })
  }

  /**
   * What was put and not taken by a conductor yet; a batch counts as one. One that may be lost with Redis's data does not
   * count: whoever waits for it to be taken would wait for ever.
   */
  get depth(): number {
    return this.waiting.length + (this.hasTicket || this.mayBeLost ? 0 : 1)
  }

  close(): void {
    this.open = false
    this.refuse(this.waiting.splice(0), 'This host is leaving.')
    this.wake()
  }

  private async run(): Promise<void> {
    while (this.open) {
      try {
        if (!this.hasTicket) await this.awaitTicket()
        if (this.waiting.length > 0) await this.send()
        else if (this.hasTicket) await this.somethingToTell()
      } catch (error) {
        if (!this.open) return
        this.hasTicket = false
        this.options.onError(error as Error)
        await this.options.pause()
      }
    }
  }

  /** Until the ticket is at home, or patience ends. It stays there: a list that is moved onto itself only turns. */
  private async awaitTicket(): Promise<void> {
    const { ticket } = hostKeys(this.options.hostId)
    this.hasTicket = (await this.options.waiter.blmove(ticket, ticket, 'LEFT', 'LEFT', this.patienceSeconds)) !== null
    this.mayBeLost = !this.hasTicket
    this.patienceSeconds = this.options.patienceSeconds
  }

  private async somethingToTell(): Promise<void> {
    await new Promise<void>((resolve) => (this.wake = resolve))
  }

  private async send(): Promise<void> {
    const batch = takeBatch(this.waiting)
    try {
      const sent = this.hasTicket ? await this.queueUp(writeBatch(batch)) : await this.knock(writeBatch(batch))
      if (sent) this.mayBeLost = false
      if (sent) for (const each of batch) each.settle()
      else this.refuse([...batch, ...this.waiting.splice(0)], 'No conductor takes what this host has to tell.')
    } catch (error) {
      this.refuse(batch, 'The queue cannot be reached at the moment.', error)
      throw error
    }
  }

  private async queueUp(text: string): Promise<boolean> {
    const { outbox, ticket } = hostKeys(this.options.hostId)
    const { producer, reach } = this.options
    await reach.ask(() =>
      sendInOrder(producer, [
        ['set', outbox, text],
        ['lmove', ticket, lineKey, 'LEFT', 'RIGHT'],
      ]),
    )
    this.hasTicket = false
    return true
  }

  /** Where the ticket was lost, with Redis's data or with a conductor. What lies there already is not overwritten. */
  private async knock(text: string): Promise<boolean> {
    const { hostId, producer, reach } = this.options
    return (await reach.ask(() => producer.set(hostKeys(hostId).outbox, text, 'NX'))) === 'OK'
  }

  private refuse(messages: readonly Waiting[], why: string, cause?: unknown): void {
    for (const { settle } of messages) settle(unavailable(why, cause))
  }
}

function unavailable(message: string, cause?: unknown): CloudError {
  return new CloudError('Unavailable', message, cause === undefined ? {} : { cause })
}
