import { agentQuestion, type Answer, type ConsoleAnswer } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import { CloudError } from '@nubo/kernel'
import type { Message } from '@nubo/queue'
import type { GuestFiles } from './guests/guest-files.js'

/** As much as Nova gives (MAX_CONSOLE_BYTES). */
const maximumBytes = 102_400

/** Answers questions that change nothing. */
export function answerWith(hypervisor: Hypervisor, guests: GuestFiles): (question: Message) => Promise<Answer> {
  return async (question) => {
    const { serverId, lines } = agentQuestion.parse(question)
    if (!guests.find(serverId)) throw new CloudError('NotFound', 'The host has no guest for this server.')
    const output = (await hypervisor.consoleOutput(serverId, maximumBytes)).toString('utf8')
    return { ok: true, value: { output: lines === undefined ? output : lastLines(output, lines) } satisfies ConsoleAnswer }
  }
}

/** A line that has no end yet counts as one. */
export function lastLines(text: string, count: number): string {
  if (count === 0) return ''
  const lines = text.split('\n')
  const open = lines.at(-1) === '' ? 1 : 0
  return lines.slice(-count - open).join('\n')
}
