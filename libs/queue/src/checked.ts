import { agentMessage, answered, asked, hearingMark, placementQueue, report, reportsQueue, stepHint } from '@nubo/contract'
import { CloudError } from '@nubo/kernel'
import { hostOfQueue } from './host-keys.js'
import type { Message } from './queue.js'

type Schema = { safeParse(message: unknown): { success: boolean; error?: { issues: unknown } } }

/** Held against the contract before it leaves, so that a defect shows where it is. Throws `Bug`. */
export function checkedMessage(queue: string, message: Message): Message {
  return checked(queue, schemaOf(queue, message), message)
}

export function checkedQuestion(queue: string, message: Message): Message {
  return checked(queue, asked, message)
}

const reportSchemas: Record<string, Schema> = { answer: answered, hearing: hearingMark }

function schemaOf(queue: string, message: Message): Schema | undefined {
  if (queue === placementQueue) return stepHint
  if (queue === reportsQueue) return reportSchemas[String(message['kind'])] ?? report
  return hostOfQueue(queue) ? agentMessage : undefined
}

function checked(queue: string, schema: Schema | undefined, message: Message): Message {
  const { success, error } = schema?.safeParse(message) ?? { success: true }
  if (success) return message
  const problems = JSON.stringify(error?.issues)
  throw new CloudError('Bug', `A message for ${queue} of kind ${String(message['kind'])} breaks the contract: ${problems}`)
}
