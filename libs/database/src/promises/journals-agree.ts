import type { HostId, ServerId } from '@nubo/kernel'
import { finding } from './finding.js'
import type { HostCheck } from './host-survey.js'

interface JournalRow {
  serverId: ServerId
  hostId: HostId
  hostName: string
  incarnation: number
  recordedFence: number
  fence: number
  tombstone: number
  isHere: boolean
}

/**
 * A fence and a tombstone are in the records before they are in any journal, and the records are read later: so a journal
 * that is ahead of them is not in a hurry, it is of another history.
 */
const readDisagreeing = `
  SELECT v.id AS "serverId", h.id AS "hostId", h.name AS "hostName", v.incarnation, v.fence AS "recordedFence", j.fence, j.tombstone,
    v.host_id IS NOT DISTINCT FROM h.id AS "isHere"
  FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) AS j(host_id, server_id, fence, tombstone)
    JOIN servers v ON v.id = j.server_id JOIN hosts h ON h.id = j.host_id
  WHERE j.fence > v.fence
    OR (j.tombstone >= v.incarnation AND v.host_id = h.id AND v.deleted_at IS NULL AND v.wanted <> 'deleted' AND v.vm_state <> 'error'
      AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding')))
  ORDER BY h.id, v.id LIMIT $5`

/** Promise 5: hosts were told nothing that the records do not know, and hold nothing for destroyed that is to be there. */
export const journalsAgree: HostCheck = async (db, surveys, { limit }) => {
  const entries = surveys.flatMap(({ hostId, servers }) =>
    servers.flatMap(({ serverId, journal }) => (journal ? [{ hostId, serverId, ...journal }] : [])),
  )
  if (entries.length === 0) return []
  const columns = (['hostId', 'serverId', 'fence', 'tombstone'] as const).map((key) => entries.map((entry) => entry[key]))
  const rows = await db.query<JournalRow>(readDisagreeing, [...columns, limit])
  return rows.map(({ serverId, hostId, hostName, incarnation, recordedFence, fence, tombstone }) =>
    fence > recordedFence
      ? finding('journal.fence-ahead', {
          about: { serverId, hostId, hostName },
          message: `Host ${hostName} was told something of server ${serverId} under fence ${fence}; the records know of none above ${recordedFence}.`,
        })
      : finding('journal.tombstone-on-record', {
          about: { serverId, incarnation, hostId, hostName },
          message: `Host ${hostName} holds server ${serverId} for destroyed up to incarnation ${tombstone}; by its record it is there in incarnation ${incarnation}.`,
        }),
  )
}
