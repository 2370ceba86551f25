import type { Clock } from '@nubo/kernel'
import type { Message, Queue } from './queue.js'

/** Told of what goes through a queue. */
export interface QueueObserver {
  cast(queue: string, messages: number, gotThrough: boolean): void
  handled(queue: string, seconds: number, wentWell: boolean): void
}

/** The same queue, with an observer who hears of every message that is cast or was handled. */
export function observed(queue: Queue, observer: QueueObserver, clock: Clock): Queue {
  const castAll = async (name: string, messages: readonly Message[]) => {
    let gotThrough = false
    try {
      await queue.castAll(name, messages)
      gotThrough = true
    } finally {
      observer.cast(name, messages.length, gotThrough)
    }
  }
  return {
    castAll,
    cast: (name, message) => castAll(name, [message]),
    work(name, handler, options) {
      const handle = async (message: Message) => {
        const beganMs = clock.monotonicMs()
        let wentWell = false
        try {
          await handler(message)
          wentWell = true
        } finally {
          observer.handled(name, (clock.monotonicMs() - beganMs) / 1000, wentWell)
        }
      }
      return queue.work(name, handle, options)
    },
    depth: (name) => queue.depth(name),
    backlog: (name) => queue.backlog(name),
    ask: (name, question, timeoutMs) => queue.ask(name, question, timeoutMs),
    answer: (name, handler) => queue.answer(name, handler),
    close: () => queue.close(),
  }
}
