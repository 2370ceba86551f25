import type { HostId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import type { CheckOptions } from './check.js'
import { finding, type Finding } from './finding.js'
import type { FindingCode } from './finding-kinds.js'
import { domainsOf, foldersOf, lyingColumns, lyingRows, nameOf, type HostCheck, type Lying } from './host-survey.js'
import { isAdrift } from './room-is-held-once.js'

interface StrangeRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  /** Null where there is no such server. */
  current: number | null
  fence: number | null
  deletedAt: Date | null
  recordedHost: string | null
  /** A record says that the server was once sent to this host. */
  wasSent: boolean
}

/**
 * What lies on a host is in order where an allocation names it there, or where the host is told to remove it as soon as it is back. Of a server that something is being done to, the
 * operation decides; of one that is on no host by its record, and not gone, this may be all there is.
 */
const readStrange = `
  SELECT l.server_id AS "serverId", l.incarnation, l.host_id AS "hostId", h.name AS "hostName", v.incarnation AS current, v.fence,
    v.deleted_at AS "deletedAt", r.name AS "recordedHost",
    EXISTS (SELECT FROM placement_decisions d WHERE d.server_id = l.server_id AND d.host_id = l.host_id) AS "wasSent"
  FROM ${lyingRows} JOIN hosts h ON h.id = l.host_id LEFT JOIN servers v ON v.id = l.server_id LEFT JOIN hosts r ON r.id = v.host_id
  WHERE NOT EXISTS (SELECT FROM allocations a WHERE a.server_id = l.server_id AND a.incarnation = l.incarnation AND a.host_id = l.host_id)
    AND NOT EXISTS (SELECT FROM abandoned_guests g WHERE g.server_id = l.server_id AND g.incarnation = l.incarnation AND g.host_id = l.host_id)
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = l.server_id AND o.state IN ('running', 'unwinding'))
    AND NOT (v.id IS NOT NULL AND ${isAdrift} AND l.incarnation = v.incarnation)
  ORDER BY l.host_id, l.server_id, l.incarnation LIMIT $4`

/** Promise 5: every guest on a host is named by a record, and is of the incarnation that the record names. */
export const everyGuestIsNamed: HostCheck = (db, surveys, options) =>
  strangeAmong(db, domainsOf(surveys), options, { known: 'guest.not-recorded', unknown: 'guest.unknown', what: 'a guest' })

/** Promise 6: no disk lies on a host of which no record tells. A disk beside its guest is told of with the guest. */
export const everyDiskIsNamed: HostCheck = (db, surveys, options) => {
  const withGuest = new Set(domainsOf(surveys).map(nameOf))
  const alone = foldersOf(surveys).filter((folder) => !withGuest.has(nameOf(folder)))
  return strangeAmong(db, alone, options, { known: 'disk.not-recorded', unknown: 'disk.unknown', what: 'the disks' })
}

/** Promise 6: whatever lies among the disks of guests is somebody's. */
export const noFolderIsAStray: HostCheck = async (db, surveys) => {
  const names = await hostNames(
    db,
    surveys.map(({ hostId }) => hostId),
  )
  return surveys
    .filter(({ strays }) => strays.length > 0)
    .map(({ hostId, strays }) =>
      finding('disk.unknown', {
        about: { hostId, hostName: names.get(hostId) ?? hostId },
        message: `Among the guests of host ${names.get(hostId) ?? hostId} lies what is nobody's: ${strays.join(', ')}.`,
      }),
    )
}

async function strangeAmong(
  db: Queryable,
  lying: readonly Lying[],
  { limit }: CheckOptions,
  say: { known: FindingCode; unknown: FindingCode; what: string },
): Promise<Finding[]> {
  if (lying.length === 0) return []
  const rows = await db.query<StrangeRow>(readStrange, [...lyingColumns(lying), limit])
  return rows.map((row) => {
    const { serverId, incarnation, hostId, hostName, current, fence, deletedAt, wasSent } = row
    const about = { serverId, incarnation, hostId, hostName }
    const lies = `Host ${hostName} has ${say.what} of incarnation ${incarnation} of server ${serverId}`
    // A host's word alone names nothing: without a record of our own it is left to a person.
    const isKnown = current !== null && wasSent && incarnation <= current
    if (!isKnown) return finding(say.unknown, { about, message: `${lies}, which no record sent there.` })
    const found = { current, fence, deleted: deletedAt !== null }
    return finding(say.known, { about, message: `${lies}, ${whereItShouldBe(row)}.`, since: deletedAt, found })
  })
}

function whereItShouldBe({ current, deletedAt, recordedHost }: StrangeRow): string {
  if (deletedAt) return 'which is deleted'
  if (!recordedHost) return 'which is on no host by its record'
  return `which by its record is on host ${recordedHost} in incarnation ${current}`
}

async function hostNames(db: Queryable, ids: readonly HostId[]): Promise<Map<HostId, string>> {
  const rows = await db.query<{ id: HostId; name: string }>('SELECT id, name FROM hosts WHERE id = ANY($1::uuid[])', [ids])
  return new Map(rows.map(({ id, name }) => [id, name]))
}
