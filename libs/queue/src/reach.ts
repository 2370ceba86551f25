import { CloudError, type Clock } from '@nubo/kernel'
import type { Redis } from 'ioredis'

/** A Redis that is well answers within milliseconds. */
const answerWithinMs = 2_000

/**
 * Asks Redis, and waits for it within bounds. While it is away, and while it keeps silent, whoever casts learns so at once:
 * neither requests nor messages pile up in our memory.
 */
export class Reach {
  private wasReady = false
  private readonly ready: Promise<void>

  constructor(
    private readonly redis: Redis,
    private readonly clock: Clock,
  ) {
    this.ready = new Promise((resolve) =>
      redis.once('ready', () => {
        this.wasReady = true
        resolve()
      }),
    )
  }

  /** Throws `Unavailable` where Redis is away, refuses, or takes longer than `withinMs`. */
  async ask<T>(work: () => Promise<T>, withinMs = answerWithinMs): Promise<T> {
    try {
      // The first connection of all is waited for: it is on its way.
      if (this.wasReady && this.redis.status !== 'ready') throw new Error(`the connection to Redis is ${this.redis.status}`)
      return await this.within(withinMs, () => (this.wasReady ? work() : this.ready.then(work)))
    } catch (error) {
      if (error instanceof CloudError) throw error
      throw new CloudError('Unavailable', 'The queue cannot be reached at the moment. Try again shortly.', {
        cause: error,
        details: { retryAfterSeconds: 2 },
      })
    }
  }

  private async within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = this.clock.after(timeoutMs, () => {
      this.wasReady = true
      // Until Redis greets a new connection it is away; what the old one still waits for is given up.
      this.redis.disconnect(true)
      late.reject(new Error(`Redis did not answer within ${timeoutMs} ms`))
    })
    try {
      return await Promise.race([work(), late.promise])
    } finally {
      timer.cancel()
    }
  }
}
