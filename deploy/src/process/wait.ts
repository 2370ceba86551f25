import { systemClock } from '@nubo/kernel'

/** Asked again and again while something starts: why it never will, or undefined while it still may. */
export type WhyNot = () => Promise<string | undefined> | string | undefined

export interface WaitOptions {
  timeoutMs: number
  everyMs?: number
  signal?: AbortSignal
}

/**
 * Asks `condition` again and again until it gives something other than undefined, null or false, and gives that.
 * Throws `what` with the time waited when it does not come; an error in `condition` ends the wait.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs, everyMs = 50, signal }: WaitOptions,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>
    if (systemClock.monotonicMs() >= end) throw new Error(`${what}: waited ${Math.round(timeoutMs / 1000)} s`)
    await systemClock.sleep(everyMs, signal)
  }
}
