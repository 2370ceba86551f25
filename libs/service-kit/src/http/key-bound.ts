import type { Clock, RequestKey } from '@nubo/kernel'
import { WireError } from '@nubo/wire'
import type { KeptAnswers } from '../kept-answers.js'

/** One every two seconds, all day long. Answers take about a kilobyte each. */
const defaultMostKept = 50_000
/** The share of the room left that is taken before it is counted again, but for how long a count is good in any case. */
const recountAfterShare = 1 / 4
const countIsGoodForMs = { atLeast: 1_000, atMost: 60_000 }
/** Scopes that are remembered; one that was forgotten is counted again. */
const mostScopes = 1_000

interface Count {
  kept: number
  freeInSeconds: number
  atMs: number
  sinceThen: number
}

/**
 * How many answers are kept for one tenant. Each may be asked for again until its day is over, so none is dropped to make room
 * for another: beyond the bound a new key is refused. The bound is for the size of a table, and not exact: several processes
 * may go over it by what they let in between two counts.
 */
export class KeyBound {
  private readonly counts = new Map<string, Promise<Count>>()

  constructor(
    private readonly answers: () => KeptAnswers,
    private readonly clock: Clock,
    private readonly mostKept = defaultMostKept,
  ) {}

  /** For a key that is new. Throws 429 with Retry-After where too many answers are kept already. */
  async enter({ scope }: RequestKey): Promise<void> {
    const count = await this.countOf(scope)
    if (count.kept + count.sinceThen >= this.mostKept) throw tooMany(this.mostKept, count.freeInSeconds)
    count.sinceThen++
  }

  private async countOf(scope: string): Promise<Count> {
    const last = await this.counts.get(scope)
    if (last && this.isGood(last)) return last
    const counting = this.count(scope)
    this.counts.delete(scope)
    this.counts.set(scope, counting)
    counting.catch(() => this.counts.delete(scope))
    for (const oldest of this.counts.keys()) {
      if (this.counts.size <= mostScopes) break
      this.counts.delete(oldest)
    }
    return await counting
  }

  private isGood({ kept, atMs, sinceThen }: Count): boolean {
    const ageMs = this.clock.monotonicMs() - atMs
    if (ageMs < countIsGoodForMs.atLeast) return true
    return ageMs < countIsGoodForMs.atMost && sinceThen < (this.mostKept - kept) * recountAfterShare
  }

  private async count(scope: string): Promise<Count> {
    const atMs = this.clock.monotonicMs()
    return { ...(await this.answers().count(scope)), atMs, sinceThen: 0 }
  }
}

function tooMany(mostKept: number, freeInSeconds: number): WireError {
  const message =
    `The answers to ${mostKept} requests with an Idempotency-Key are kept for 24 hours already. ` +
    'A request whose key was used is answered all the same, and one without a key is carried out.'
  return new WireError(429, message, { headers: { 'Retry-After': String(Math.max(1, Math.ceil(freeInSeconds))) } })
}
