import type { GuestPassword } from '@nubo/contract'
import type { ServerId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { noteNetworkChange } from '../networks/changes.js'

// What guests set as their passwords, for their owners to read. A guest sets one; when its owner has cleared it, it may set
// another, once its host has heard of that.

/** The server is locked: it is neither deleted meanwhile, nor made anew elsewhere. */
const record = `
  WITH host AS (SELECT id FROM hosts WHERE id = $1 AND session_id = $2),
  guest AS (
    SELECT v.id FROM servers v JOIN host ON host.id = v.host_id
    WHERE v.id = $3 AND v.incarnation = $4 AND v.deleted_at IS NULL FOR SHARE OF v),
  recorded AS (
    INSERT INTO guest_passwords AS w (server_id, incarnation, password) SELECT id, $4, $5 FROM guest
    ON CONFLICT (server_id) DO UPDATE SET incarnation = EXCLUDED.incarnation, password = EXCLUDED.password
    WHERE w.clears = $6 AND (w.password IS NULL OR w.incarnation < EXCLUDED.incarnation))
  SELECT FROM host`

/**
 * Keeps what a guest set, unless it is here already, was cleared since, or the guest is not the one that the server is now.
 * False for a host that said so in a session that is over.
 */
export async function recordGuestPassword(db: Queryable, told: Omit<GuestPassword, 'kind'>): Promise<boolean> {
  const { hostId, sessionId, serverId, incarnation, password, clears } = told
  return (await db.query(record, [hostId, sessionId, serverId, incarnation, password, clears])).length > 0
}

const ofTheGuest = `w.server_id = $1 AND v.id = w.server_id AND v.incarnation = w.incarnation AND w.password IS NOT NULL`

/** That the guest set which the server is now; undefined where it set none, or it was cleared. */
export async function readGuestPassword(db: Queryable, serverId: ServerId): Promise<string | undefined> {
  const [row] = await db.query<{ password: string }>(`SELECT w.password FROM guest_passwords w, servers v WHERE ${ofTheGuest}`, [
    serverId,
  ])
  return row?.password
}

/** Forgets what the guest set, and has its host do so too. What is not here yet is not cleared: it may be under way. */
export async function clearGuestPassword(tx: Transaction, serverId: ServerId): Promise<void> {
  const cleared = await tx.execute(
    `UPDATE guest_passwords w SET password = NULL, clears = w.clears + 1 FROM servers v WHERE ${ofTheGuest}`,
    [serverId],
  )
  if (cleared > 0) await noteNetworkChange(tx, 'server', serverId)
}
