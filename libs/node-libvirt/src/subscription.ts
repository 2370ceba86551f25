import type { DomainEvent, EventKind } from './protocol/events.js'

/**
 * Events may have been missed here: look at everything again.
 * - `overflow`: the reader was too slow, and what it had not read was dropped.
 * - `reconnected`: the connection was lost, and is back.
 * - `unreadable`: libvirt sent an event that this library cannot read.
 */
export interface Resync {
  kind: 'resync'
  reason: 'overflow' | 'reconnected' | 'unreadable'
}

/**
 * Events, in the order in which libvirt sent them, for one reader that may be slow. Where events were missed there is a
 * `Resync` in their place: what comes after it happened after it was put there. It never holds more than its limit, and
 * never holds anybody back.
 */
export class Subscription<K extends EventKind = EventKind>
  implements AsyncIterableIterator<DomainEvent<K> | Resync>, AsyncDisposable
{
  readonly kinds: readonly K[]
  private readonly limit: number
  private readonly onClose: () => void
  private queue: (DomainEvent<K> | Resync)[] = []
  private readers: ((result: IteratorResult<DomainEvent<K> | Resync, undefined>) => void)[] = []
  private closed = false

  constructor(kinds: readonly K[], limit: number, onClose: () => void) {
    this.kinds = kinds
    this.limit = limit
    this.onClose = onClose
  }

  /** How many events wait for the reader. */
  get queued(): number {
    return this.queue.length
  }

  /** @returns the next event, when there is one; done when the subscription or its connection was closed. */
  next(): Promise<IteratorResult<DomainEvent<K> | Resync, undefined>> {
    const item = this.queue.shift()
    if (item !== undefined) return Promise.resolve({ done: false, value: item })
    if (this.closed) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.readers.push(resolve))
  }

  /** Ends it: what is queued is dropped. Called by `break` in a `for await` too. */
  return(): Promise<IteratorResult<DomainEvent<K> | Resync, undefined>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.queue = []
    for (const reader of this.readers.splice(0)) reader({ done: true, value: undefined })
    this.onClose()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /** For the connection. */
  deliver(event: DomainEvent): void {
    if (this.queue.length >= this.limit) this.resync('overflow')
    else this.put(event as DomainEvent<K>)
  }

  /** For the connection. */
  resync(reason: Resync['reason']): void {
    // What is queued may say why something happened, so it goes only where there is no room.
    if (this.queue.length >= this.limit) this.queue = []
    this.put({ kind: 'resync', reason })
  }

  private put(item: DomainEvent<K> | Resync): void {
    if (this.closed) return
    const reader = this.readers.shift()
    if (reader === undefined) this.queue.push(item)
    else reader({ done: false, value: item })
  }
}
