import type { Subscription } from './queue.js'

/** What was begun and is to be ended with its queue, if it was not before. */
export class Subscriptions {
  private readonly open = new Set<Subscription>()

  track(close: () => Promise<void>): Subscription {
    const subscription: Subscription = {
      close: async () => {
        if (this.open.delete(subscription)) await close()
      },
    }
    this.open.add(subscription)
    return subscription
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((subscription) => subscription.close()))
  }
}
