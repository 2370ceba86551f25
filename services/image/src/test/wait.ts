import { waitFor } from '@nubo/deploy'

/** Waits for what must come soon, even on a busy machine. */
export const soon = <T>(what: string, condition: () => T | Promise<T>) =>
  waitFor(what, condition, { timeoutMs: 30_000, everyMs: 20 })
