import type { Redis } from 'ioredis'
import type { Reach } from './reach.js'

export interface ListWaiterOptions {
  key: string
  /** Of its own: while it waits, nothing else is answered. */
  waiter: Redis
  producer: Redis
  reach: Reach
}

/**
 * Waits in Redis for what comes into a list. It can be called back: whoever only broke the connection off would lose what Redis
 * takes from the list at that very moment.
 */
export class ListWaiter {
  /** As Redis calls the connection; unknown until it has waited once, and after it broke off. */
  private clientId: number | undefined
  private pending: Promise<unknown> | undefined
  private isCalledBack = false

  constructor(private readonly options: ListWaiterOptions) {
    options.waiter.on('close', () => (this.clientId = undefined))
  }

  /** Up to `count` of what is there, as soon as there is something. Empty once it was called back. */
  async take(count: number): Promise<string[]> {
    const taking = this.takeNext(count)
    this.pending = taking.catch(() => undefined)
    return await taking
  }

  /** Resolves when nothing is taken any more, and what was taken has been given out. */
  async callBack(): Promise<void> {
    const { waiter, producer, reach } = this.options
    this.isCalledBack = true
    try {
      await reach.ask(async () => {
        if (this.clientId !== undefined) await producer.client('UNBLOCK', this.clientId)
        else waiter.disconnect()
        await this.pending
      })
    } finally {
      waiter.disconnect()
    }
  }

  private async takeNext(count: number): Promise<string[]> {
    const { waiter, key } = this.options
    this.clientId ??= await waiter.client('ID')
    if (this.isCalledBack) return []
    const taken = await waiter.blmpop(0, 1, key, 'LEFT', 'COUNT', count)
    return taken?.[1] ?? []
  }
}
