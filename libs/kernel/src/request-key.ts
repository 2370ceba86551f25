/**
 * A request that may be repeated without being carried out twice, because its client gave it an Idempotency-Key: whose it
 * is, and how its answer will be told again. Two requests are one if all of `scope` to `keyDigest` are equal.
 */
export interface RequestKey {
  /** Within what the caller acts: 'project:<id>', 'domain:<id>', 'system' or 'unscoped'. */
  scope: string
  userId: string
  /** 'POST /v2.1/servers/:id/action'. */
  route: string
  keyDigest: string
  /** Of all that the request says: differs where the key is used for something else. */
  requestDigest: string
  /** What a repetition is told, for a handler that answers `body`: in the client's own microversion and without secrets. */
  answerTo(body: unknown): KeptAnswer
}

/** An answer as it can be given once more. */
export interface KeptAnswer {
  status: number
  location: string | null
  /** Null where the answer has none. */
  body: unknown
}
