import type { AgentQuestion, ConsoleAnswer } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import { CloudError } from '@nubo/kernel'
import type { GuestFiles } from './guests/guest-files.js'

/** As much as Nova gives (MAX_CONSOLE_BYTES). */
const maximumBytes = 102_400

/** The end of what a guest wrote to its console. Throws NotFound where the host has no such guest. */
export async function consoleOutputOf(
  { hypervisor, guests }: { hypervisor: Hypervisor; guests: GuestFiles },
  { serverId, lines }: Extract<AgentQuestion, { kind: 'console-output' }>,
): Promise<ConsoleAnswer> {
  if (!guests.find(serverId)) throw new CloudError('NotFound', 'The host has no guest for this server.')
  const output = (await hypervisor.consoleOutput(serverId, maximumBytes)).toString('utf8')
  return { output: lines === undefined ? output : lastLines(output, lines) }
}

/** A line that has no end yet counts as one. */
export function lastLines(text: string, count: number): string {
  if (count === 0) return ''
  const lines = text.split('\n')
  const open = lines.at(-1) === '' ? 1 : 0
  return lines.slice(-count - open).join('\n')
}
