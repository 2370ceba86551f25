import { MemoryQueue, type Message } from '@nubo/queue'

export interface Letter {
  queue: string
  message: Message
}

/**
 * The queue between the processes of a harness. It keeps a copy of everything, so that anything can be delivered again,
 * late and out of order, and lets a test have its way with what is on the way.
 */
export class Post extends MemoryQueue {
  readonly history: Letter[] = []
  /** What becomes of a message: as many of them as are returned. */
  handle: (letter: Letter) => Letter[] | Promise<Letter[]> = (letter) => [letter]

  override async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      this.history.push({ queue, message })
      for (const each of await this.handle({ queue, message })) await super.castAll(each.queue, [each.message])
    }
  }

  /** Past whatever is done to other messages, and not kept again. */
  async deliver(letters: readonly Letter[]): Promise<void> {
    for (const { queue, message } of letters) await super.castAll(queue, [message])
  }
}
