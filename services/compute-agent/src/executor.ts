import type { ServerId } from '@nubo/kernel'

/** Does one thing at a time for each server, in the order of arrival; different servers do not wait for each other. */
export class Executor {
  private readonly last = new Map<ServerId, Promise<unknown>>()

  run<T>(serverId: ServerId, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(serverId) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.last.set(serverId, mine)
    const forget = () => {
      if (this.last.get(serverId) === mine) this.last.delete(serverId)
    }
    mine.then(forget, forget)
    return mine
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.last.size > 0) await Promise.allSettled(this.last.values())
  }
}
