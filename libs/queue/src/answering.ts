import type { Answer } from '@nubo/contract'
import { CloudError } from '@nubo/kernel'
import type { Message } from './queue.js'

/** What a handler returns or throws, as an answer. What it did not mean to say stays unsaid. */
export async function runAnswer(handler: (question: Message) => Promise<Answer>, question: Message): Promise<Answer> {
  try {
    return await handler(question)
  } catch (error) {
    if (error instanceof CloudError && (error.kind === 'NotFound' || error.kind === 'Unavailable')) {
      return { ok: false, kind: error.kind, message: error.message }
    }
    return { ok: false, kind: 'Bug', message: 'The question could not be answered.' }
  }
}
