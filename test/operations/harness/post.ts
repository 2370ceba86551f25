import type { Answer } from '@nubo/contract'
import type { Backlog, Message, Queue, Subscription, WorkOptions } from '@nubo/queue'
import type { Carrier } from './carriers.js'

export interface Letter {
  queue: string
  message: Message
}

/**
 * The queue between the processes of a harness. It keeps a copy of everything, so that anything can be delivered again,
 * late and out of order, and lets a test have its way with what is on the way.
 */
export class Post implements Queue {
  readonly history: Letter[] = []
  /** What becomes of a message: as many of them as are returned. */
  handle: (letter: Letter) => Letter[] | Promise<Letter[]> = (letter) => [letter]

  constructor(private readonly carrier: Carrier) {}

  async cast(queue: string, message: Message): Promise<void> {
    await this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      this.history.push({ queue, message })
      for (const each of await this.handle({ queue, message })) await this.carrier.cast(each.queue, each.message)
    }
  }

  /** Past whatever is done to other messages, and not kept again. */
  async deliver(letters: readonly Letter[]): Promise<void> {
    for (const { queue, message } of letters) await this.carrier.cast(queue, message)
  }

  carries(): Promise<boolean> {
    return this.carrier.carries()
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    return this.carrier.work(queue, handler, options)
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    return this.carrier.answer(queue, handler)
  }

  ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    return this.carrier.ask(queue, question, timeoutMs)
  }

  depth(queue: string): Promise<number> {
    return this.carrier.depth(queue)
  }

  backlog(queue: string): Promise<Backlog> {
    return this.carrier.backlog(queue)
  }

  close(): Promise<void> {
    return this.carrier.close()
  }
}
