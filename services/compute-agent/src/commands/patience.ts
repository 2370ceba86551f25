import { CloudError, type Clock } from '@nubo/kernel'

const firstPauseMs = 100
const longestPauseMs = 5_000

/**
 * Does again what ended with an unknown outcome, until it is known or `signal` fires. For what may be repeated, as all verbs
 * of a hypervisor may.
 */
export async function patiently<T>(clock: Clock, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted()
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      await clock.sleep(pauseMs, signal)
    }
  }
}
