import type { UserId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

export interface KeypairRow {
  number: number
  userId: UserId
  name: string
  type: string
  publicKey: string
  fingerprint: string
  createdAt: Date
}

export const keypairRowColumns = `k.number, k.user_id AS "userId", k.name, k.type, k.public_key AS "publicKey", k.fingerprint, k.created_at AS "createdAt"`

export async function findKeypair(db: Queryable, userId: UserId, name: string): Promise<KeypairRow | undefined> {
  const [row] = await db.query<KeypairRow>(`SELECT ${keypairRowColumns} FROM keypairs k WHERE k.user_id = $1 AND k.name = $2`, [
    userId,
    name,
  ])
  return row
}
