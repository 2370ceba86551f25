import { existsSync, readFileSync } from 'node:fs'
import { systemClock } from '@nubo/kernel'
import type { WhyNot } from '../process/wait.js'
import type { SupervisorHandle } from '../supervisor/start.js'

const endsUntilItFails = 3

/** A service never will once it ended again and again; then its last words say why. */
export function whyServiceFails(supervisor: SupervisorHandle, name: string, logFile: string): WhyNot {
  return async () => {
    const services = await supervisor.ask({ verb: 'status' }).catch(() => [])
    const service = services.find((each) => each.name === name)
    const fails = service && service.state !== 'running' && service.unexpectedEnds >= endsUntilItFails
    return fails ? lastWords(logFile) : undefined
  }
}

/** What a program said last, in one line: of a JSON log its message and error. */
export function lastWords(logFile: string): string {
  if (!existsSync(logFile)) return 'it said nothing'
  const lines = readFileSync(logFile, 'utf8').trim().split('\n')
  const told = lines
    .slice(-20)
    .map(wordsOf)
    .filter((line) => line !== '')
  return told.at(-1) ?? 'it said nothing'
}

function wordsOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return [msg, err?.message !== msg ? err?.message : undefined].filter(Boolean).join(': ')
  } catch {
    // A stack says less than the line above it.
    return /^\s+at |^Node\.js v|^\s*\^|^\}?$/.test(line) ? '' : line.trim()
  }
}

/** Waits until `trouble` finds none. Throws why it never will, or what the trouble was last, and where to look. */
export async function waitUntilWell(
  name: string,
  logFile: string,
  trouble: () => Promise<string | undefined>,
  whyNot: WhyNot,
  timeoutMs: number,
): Promise<void> {
  const end = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const now = await trouble()
    if (now === undefined) return
    const reason = await whyNot()
    if (reason !== undefined) throw new Error(`${name} does not start: ${reason} (log: ${logFile})`)
    if (systemClock.monotonicMs() >= end)
      throw new Error(`${name} is not well after ${timeoutMs / 1000} s: ${now} (log: ${logFile})`)
    await systemClock.sleep(50)
  }
}
