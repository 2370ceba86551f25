import { systemClock } from '@nubo/kernel'

/** What `look` returns as soon as that is something; throws when it is not within `withinMs`. */
export async function eventually<T>(look: () => T | Promise<T>, { withinMs = 60_000 } = {}): Promise<NonNullable<T>> {
  const giveUpMs = systemClock.monotonicMs() + withinMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (systemClock.monotonicMs() > giveUpMs) throw new Error(`it did not come about within ${withinMs} ms: ${look}`)
    await systemClock.sleep(5)
  }
}
