import { systemClock } from '@nubo/kernel'

const everyMs = 100
const mostTries = 600

/** Looks until what is expected is so; then, or when it was in vain for long, what was seen last counts. */
export async function eventually(look: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await look()
    } catch (error) {
      if (tries === mostTries) throw error
      await systemClock.sleep(everyMs)
    }
  }
}
