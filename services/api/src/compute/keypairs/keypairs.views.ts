import type { KeypairRow } from '@nubo/database'
import { zonelessTimestamp } from '@nubo/wire'

// The newest version's shapes (2.96).

export function keypairBriefView(keypair: KeypairRow) {
  return { name: keypair.name, public_key: keypair.publicKey, fingerprint: keypair.fingerprint, type: keypair.type }
}

/** With the private key where one was just made: it is not kept. */
export function createdKeypairView(keypair: KeypairRow, privateKey: string | undefined) {
  return {
    ...keypairBriefView(keypair),
    user_id: keypair.userId,
    ...(privateKey === undefined ? {} : { private_key: privateKey }),
  }
}

export function keypairView(keypair: KeypairRow) {
  return {
    ...keypairBriefView(keypair),
    user_id: keypair.userId,
    id: keypair.number,
    created_at: zonelessTimestamp(keypair.createdAt),
    // Keypairs are not changed, and one that is deleted is gone.
    updated_at: null,
    deleted: false,
    deleted_at: null,
  }
}
