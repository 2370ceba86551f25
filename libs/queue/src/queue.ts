import type { Answer } from '@nubo/contract'

/** A message as it travels: plain JSON, checked against its schema by whoever takes it. */
export type Message = Record<string, unknown>

export interface WorkOptions {
  /** Messages handled at the same time. */
  concurrency: number
}

/** What waits to be taken. */
export interface Backlog {
  waiting: number
  /** How long ago the oldest of them was cast, by the clocks of two machines; 0 where none waits. */
  oldestMs: number
}

/** Stops taking messages and waits for those at hand. */
export interface Subscription {
  close(): Promise<void>
}

/**
 * Carries hints. A message may be lost, late, repeated or out of order: whoever needs it to arrive keeps a record of its own
 * and casts it again. A handler that throws loses the message; there are no retries here.
 */
export interface Queue {
  /** Throws `Unavailable` at once if the queue cannot be reached. */
  cast(queue: string, message: Message): Promise<void>
  castAll(queue: string, messages: readonly Message[]): Promise<void>
  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription
  /** Messages that wait to be taken. */
  depth(queue: string): Promise<number>
  backlog(queue: string): Promise<Backlog>
  /** Asks whoever answers on `queue`. Throws `Unavailable` if no answer came within `timeoutMs`. */
  ask(queue: string, question: Message, timeoutMs: number): Promise<Answer>
  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription
  close(): Promise<void>
}
