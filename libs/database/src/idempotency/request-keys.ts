import type { KeptAnswer, RequestKey } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

/** For so long a request may be repeated; docs/idempotency.md promises it to clients. */
const kept = "interval '24 hours'"

const find = `
  SELECT request_digest AS "requestDigest", status, location, body FROM idempotency_keys
  WHERE scope = $1 AND user_id = $2 AND route = $3 AND key_digest = $4 AND created_at > clock_timestamp() - ${kept}`

/**
 * Whoever has the key's lock is the one that carries the request out: it goes with the transaction, however that ends. The
 * lock is asked for and not waited for. One that comes free between this statement's snapshot and the lock is caught by the
 * primary key, which sees what was committed since.
 */
const claim = `
  INSERT INTO idempotency_keys AS k (scope, user_id, route, key_digest, request_digest, status, location, body)
  SELECT $1, $2, $3, $4, $8, $5, $6, $7::jsonb
  WHERE pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), $1::text, $2::text, $3::text, $4::text), 0))
  ON CONFLICT (scope, user_id, route, key_digest) DO UPDATE
    SET request_digest = excluded.request_digest, status = excluded.status, location = excluded.location, body = excluded.body,
      created_at = excluded.created_at
    WHERE k.created_at <= clock_timestamp() - ${kept}`

/** What the answer to a request for one thing takes at the most; one to a request for hundreds counts for as many as it takes. */
const usualBytes = 2_048

const count = `
  SELECT COALESCE(sum(GREATEST(1, pg_column_size(body) / ${usualBytes})), 0)::int AS kept, COALESCE(extract(epoch FROM min(created_at) + ${kept} - clock_timestamp()), 0)::float8 AS "freeInSeconds"
  FROM idempotency_keys WHERE scope = $1 AND created_at > clock_timestamp() - ${kept}`

const keep = `
  UPDATE idempotency_keys SET status = $5, location = $6, body = $7::jsonb
  WHERE scope = $1 AND user_id = $2 AND route = $3 AND key_digest = $4`

const forget = `
  DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at <= clock_timestamp() - ${kept}
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED))`

type Identity = Pick<RequestKey, 'scope' | 'userId' | 'route' | 'keyDigest'>

const identityOf = ({ scope, userId, route, keyDigest }: Identity) => [scope, userId, route, keyDigest]

/** What was answered to the request that had this key, and the digest of that request; undefined where there was none. */
export async function findKeptAnswer(
  db: Queryable,
  key: Identity,
): Promise<(KeptAnswer & { requestDigest: string }) | undefined> {
  const [row] = await db.query<KeptAnswer & { requestDigest: string }>(find, identityOf(key))
  return row
}

/** How many answers are kept in a scope, a long one for several, and in how many seconds the oldest of them is kept no longer. */
export async function countKeptAnswers(db: Queryable, scope: string): Promise<{ kept: number; freeInSeconds: number }> {
  const [row] = await db.query<{ kept: number; freeInSeconds: number }>(count, [scope])
  return row!
}

const valuesOf = ({ status, location, body }: KeptAnswer) => [status, location, body === null ? null : JSON.stringify(body)]

/**
 * Takes the key for the request that this transaction carries out, from here to its end, with the answer as far as it is
 * foreseen. False if another one has it: it is under way, or has ended just now.
 */
export async function claimKey(tx: Transaction, key: RequestKey, foreseen: KeptAnswer): Promise<boolean> {
  return (await tx.execute(claim, [...identityOf(key), ...valuesOf(foreseen), key.requestDigest])) === 1
}

/** Writes down what is answered to the request whose key this transaction has claimed. */
export async function keepAnswer(tx: Transaction, key: Identity, answer: KeptAnswer): Promise<void> {
  await tx.execute(keep, [...identityOf(key), ...valuesOf(answer)])
}

/** Removes answers that are kept no longer, `limit` at the most. Returns how many. */
export async function forgetOldAnswers(db: Queryable, limit: number): Promise<number> {
  return await db.execute(forget, [limit])
}
