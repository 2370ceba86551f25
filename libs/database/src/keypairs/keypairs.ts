import type { UserId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { keypairRowColumns, type KeypairRow } from './find-keypair.js'

export type NewKeypair = Omit<KeypairRow, 'number' | 'createdAt'>

/** Why a keypair was not kept. */
export type KeypairRefusal = 'no such user' | 'limit' | 'name taken'

const insert = `
  INSERT INTO keypairs AS k (user_id, name, type, public_key, fingerprint) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (user_id, name) DO NOTHING RETURNING ${keypairRowColumns}`

/**
 * Keeps a keypair, unless its user would have more than `limit` (below zero: no limit). The user's row is held from the
 * count to the commit, so that racing requests count one another.
 */
export async function insertKeypair(tx: Transaction, keypair: NewKeypair, limit: number): Promise<KeypairRow | KeypairRefusal> {
  const users = await tx.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [keypair.userId])
  if (users.length === 0) return 'no such user'
  if (limit >= 0 && (await countKeypairs(tx, keypair.userId)) >= limit) return 'limit'
  const { userId, name, type, publicKey, fingerprint } = keypair
  const [row] = await tx.query<KeypairRow>(insert, [userId, name, type, publicKey, fingerprint])
  return row ?? 'name taken'
}

export async function countKeypairs(db: Queryable, userId: UserId): Promise<number> {
  const [row] = await db.query<{ count: number }>('SELECT count(*) FROM keypairs WHERE user_id = $1', [userId])
  return row!.count
}

/** A user's keypairs by name, after the one called `marker`; all of them where `limit` is undefined. */
export async function listKeypairs(
  db: Queryable,
  userId: UserId,
  { marker, limit }: { marker?: string | undefined; limit?: number | undefined },
): Promise<KeypairRow[]> {
  return await db.query<KeypairRow>(
    `SELECT ${keypairRowColumns} FROM keypairs k WHERE k.user_id = $1 AND ($2::text IS NULL OR k.name > $2) ORDER BY k.name LIMIT $3`,
    [userId, marker ?? null, limit ?? null],
  )
}

/** False where the user has no keypair of that name. */
export async function deleteKeypair(db: Queryable, userId: UserId, name: string): Promise<boolean> {
  return (await db.execute('DELETE FROM keypairs WHERE user_id = $1 AND name = $2', [userId, name])) > 0
}
