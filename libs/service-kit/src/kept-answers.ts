import type { KeptAnswer, RequestKey } from '@nubo/kernel'

/** What was answered to requests that came with an Idempotency-Key. A module whose routes are `@Idempotent` provides it. */
export abstract class KeptAnswers {
  /** The answer, and the digest of the request that it was given to; undefined where there was no such request. */
  abstract find(key: RequestKey): Promise<(KeptAnswer & { requestDigest: string }) | undefined>
}
