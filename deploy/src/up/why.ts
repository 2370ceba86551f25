import { existsSync, readFileSync } from 'node:fs'
import { systemClock } from '@nubo/kernel'
import type { SupervisorHandle } from '../supervisor/start.js'

const endsUntilItFails = 3

/** Watches one service: `found` becomes the way it ends once it did so again and again. */
export function whyServiceFails(supervisor: SupervisorHandle, name: string) {
  const watch = {
    found: undefined as string | undefined,
    async look(): Promise<void> {
      const services = await supervisor.ask({ verb: 'status' }).catch(() => [])
      const service = services.find((each) => each.name === name)
      if (service && service.state !== 'running' && service.unexpectedEnds >= endsUntilItFails)
        watch.found = service.lastEnd ?? 'it ends'
    },
  }
  return watch
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

/** Waits until `trouble` finds none. Throws what it found last, with what to look at. */
export async function waitUntilWell(
  name: string,
  logFile: string,
  trouble: () => Promise<string | undefined>,
  failed: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const end = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const now = await trouble()
    if (now === undefined) return
    if (await failed()) throw new Error(`${name} does not start: ${lastWords(logFile)} (log: ${logFile})`)
    if (systemClock.monotonicMs() >= end)
      throw new Error(`${name} is not well after ${timeoutMs / 1000} s: ${now} (log: ${logFile})`)
    await systemClock.sleep(50)
  }
}
