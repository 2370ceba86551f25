import type { ServerId } from '@nubo/kernel'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface KeyRow {
  scope: string
  serverId: ServerId | null
  reservationId: string | null
  createdAt: Date
}

/** Of what is made, servers alone leave a row for ever: that another thing is gone may be because it was deleted since. */
const readBroken = `
  SELECT k.scope, k.body->'server'->>'id' AS "serverId", k.body->>'reservation_id' AS "reservationId", k.created_at AS "createdAt"
  FROM idempotency_keys k
  WHERE k.route = 'POST /v2.1/servers' AND NOT EXISTS (SELECT FROM servers v WHERE v.id = (k.body->'server'->>'id')::uuid)
    AND NOT (k.body ? 'reservation_id' AND EXISTS (
      SELECT FROM servers v WHERE v.project_id = split_part(k.scope, ':', 2) AND v.reservation_id = k.body->>'reservation_id'))
  ORDER BY k.created_at LIMIT $1`

/** Promise 4: what a kept answer names was made. */
export const keysNameWhatExists: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<KeyRow>(readBroken, [limit])
  return rows.map(({ scope, serverId, reservationId, createdAt }) =>
    finding('key.names-nothing', {
      about: serverId ? { serverId } : {},
      message: `The answer that is kept for a request of ${scope} names ${serverId ? `server ${serverId}` : `reservation ${reservationId ?? 'nothing'}`}, which was never made.`,
      since: createdAt,
    }),
  )
}
