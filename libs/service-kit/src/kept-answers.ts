import type { KeptAnswer, RequestKey } from '@nubo/kernel'

/** What was answered to requests that came with an Idempotency-Key. A module whose routes are `@Idempotent` provides it. */
export abstract class KeptAnswers {
  /** The answer, and the digest of the request that it was given to; undefined where there was no such request. */
  abstract find(key: RequestKey): Promise<(KeptAnswer & { requestDigest: string }) | undefined>
  /** How many answers are kept for the keys of a scope, a long one for several, and in how many seconds the oldest of them is kept no longer. */
  abstract count(scope: string): Promise<{ kept: number; freeInSeconds: number }>
}
