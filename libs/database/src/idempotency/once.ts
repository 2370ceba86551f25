import { CloudError, type RequestKey } from '@nubo/kernel'
import type { Database, Queryable, Transaction } from '../connection.js'
import { claimKey, keepAnswer } from './request-keys.js'

/** A first request is over sooner, or its process is dead and its key free. */
const retryAfterSeconds = 1

/**
 * What a use case writes through, so that a request which its client repeats is carried out once: the key is claimed before
 * anything else in the transaction, and the answer is written beside what it speaks of. So either both are there or
 * neither is, and a request that fails, or whose process dies, leaves its key free. Without a key it does nothing at all.
 */
export class Once<Made = unknown> {
  /** For callers that no client's key stands behind. */
  static readonly unkeyed = new Once(undefined, () => undefined)

  constructor(
    private readonly key: RequestKey | undefined,
    /** The body that the handler will answer with, made anew at each call. */
    private readonly answer: (made: Made) => unknown,
  ) {}

  /** Runs a use case that needs no transaction of its own: with a key it is given one, without it has the pool as it is. */
  async run<Result extends Made>(
    database: Database,
    work: (db: Queryable) => Promise<Result>,
    foreseen?: Result,
  ): Promise<Result> {
    if (!this.key) return await work(database)
    return await database.transaction((tx) => this.within(tx, () => work(tx), foreseen))
  }

  /**
   * Runs what the use case writes in its transaction `tx`. What it will most likely return may be `foreseen`: its answer is
   * then written with the claim, and nothing stands between the work and the commit. Throws Conflict with Retry-After where
   * a request with the same key is under way: repeated, it is answered as that one was.
   */
  async within<Result extends Made>(tx: Transaction, work: () => Promise<Result>, foreseen?: Result): Promise<Result> {
    const { key } = this
    if (!key) return await work()
    const body = foreseen === undefined ? undefined : this.answer(foreseen)
    if (!(await claimKey(tx, key, key.answerTo(body)))) throw underWay()
    const made = await work()
    if (foreseen === undefined || made !== foreseen) await this.keep(tx, key, made)
    return made
  }

  private async keep(tx: Transaction, key: RequestKey, made: Made): Promise<void> {
    const body = this.answer(made)
    // The claim has written all there is to an answer without a body.
    if (body !== undefined) await keepAnswer(tx, key, key.answerTo(body))
  }
}

const underWay = () =>
  new CloudError('Conflict', 'A request with this Idempotency-Key is under way. Repeat it shortly to hear what came of it.', {
    details: { retryAfterSeconds },
  })
