import { CloudError, type Clock, type Random } from '@nubo/kernel'

/** PostgreSQL's own words for 'try again': serialization failure and deadlock. Nothing was committed. */
const repeatableCodes = new Set(['40001', '40P01'])
const mostAttempts = 5
const firstPauseMs = 10

/** What was read and what was then locked are of different moments: thrown within a transaction, it is run again. */
export class ConcurrentChange extends Error {
  readonly code = '40001'

  constructor(what: string) {
    super(`${what} changed between being read and being locked`)
    this.name = 'ConcurrentChange'
  }
}

/** Whether PostgreSQL undid this work for the sake of other work at the same rows. */
function isRepeatable(error: unknown): boolean {
  return repeatableCodes.has(String((error as { code?: unknown } | null)?.code ?? ''))
}

/**
 * Does work again that PostgreSQL undid, after a pause that grows and differs between those that met. Throws `Unavailable`
 * where that did not help: nothing was committed.
 */
export async function repeatWhereUndone<T>(work: () => Promise<T>, clock: Clock, random: Random): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isRepeatable(error)) throw error
      if (attempt >= mostAttempts) throw tooMuchAtOnce(error)
      await clock.sleep(firstPauseMs * 2 ** (attempt - 1) * (0.5 + random.fraction()))
    }
  }
}

function tooMuchAtOnce(cause: unknown): CloudError {
  const message = 'Others are changing the same thing at this moment. Try again shortly.'
  return new CloudError('Unavailable', message, { cause, details: { retryAfterSeconds: 1 } })
}
