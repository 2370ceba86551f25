import type { HostId, ServerId } from '@nubo/kernel'
import { domainsOf, foldersOf, lyingColumns, type HostCheck } from './host-survey.js'
import { finding } from './finding.js'

interface MissingRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  launchedAt: Date
}

/** $1 to $3 are what lies there, $4 the hosts that answered: of the others nothing is known. */
const readMissing = `
  SELECT v.id AS "serverId", v.incarnation, v.host_id AS "hostId", h.name AS "hostName", v.launched_at AS "launchedAt"
  FROM servers v JOIN hosts h ON h.id = v.host_id
  WHERE v.host_id = ANY($4::uuid[]) AND v.deleted_at IS NULL AND v.wanted <> 'deleted' AND v.vm_state NOT IN ('building', 'error')
    AND (v.host_id, v.id, v.incarnation) NOT IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[]))
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY v.created_at LIMIT $5`

/** Promise 5: what a record says is on a host is there. A guest that is off may be its disks alone. */
export const everyRecordedGuestIsThere: HostCheck = async (db, surveys, { limit }) => {
  const lying = [...domainsOf(surveys), ...foldersOf(surveys)]
  const rows = await db.query<MissingRow>(readMissing, [...lyingColumns(lying), surveys.map(({ hostId }) => hostId), limit])
  return rows.map(({ serverId, incarnation, hostId, hostName, launchedAt }) =>
    finding('guest.missing', {
      about: { serverId, incarnation, hostId, hostName },
      message: `Server ${serverId} is on host ${hostName} by its record, and neither its guest nor its disks are there.`,
      since: launchedAt,
    }),
  )
}
