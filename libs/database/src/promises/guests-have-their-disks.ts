import type { DiskPart } from '@nubo/contract'
import type { HostId, ServerId } from '@nubo/kernel'
import { finding } from './finding.js'
import { domainsOf, foldersOf, lyingColumns, lyingRows, nameOf, type HostCheck, type Lying } from './host-survey.js'

interface RecordedRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
}

/** Of what lies there: what the record puts there, made and at rest. */
const readRecorded = `
  SELECT v.id AS "serverId", v.incarnation, v.host_id AS "hostId", h.name AS "hostName"
  FROM ${lyingRows} JOIN servers v ON v.id = l.server_id AND v.incarnation = l.incarnation AND v.host_id = l.host_id
    JOIN hosts h ON h.id = v.host_id
  WHERE v.deleted_at IS NULL AND v.wanted <> 'deleted' AND v.vm_state NOT IN ('building', 'error')
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY v.created_at LIMIT $4`

/** Promise 5: a guest has what it needs to start again. One that runs goes on without it, until it is stopped. */
export const everyGuestHasItsDisks: HostCheck = async (db, surveys, { limit }) => {
  const folders = foldersOf(surveys)
  const whole = new Set(folders.map(nameOf))
  const lacking: (Lying & { lacks: readonly DiskPart[] })[] = [
    ...folders.flatMap(({ lacks, ...folder }) => (lacks ? [{ ...folder, lacks }] : [])),
    ...domainsOf(surveys).flatMap((domain) => (whole.has(nameOf(domain)) ? [] : [{ ...domain, lacks: ['disk' as const] }])),
  ]
  if (lacking.length === 0) return []
  const lacks = new Map(lacking.map((each) => [nameOf(each), each.lacks]))
  const rows = await db.query<RecordedRow>(readRecorded, [...lyingColumns(lacking), limit])
  return rows.map((row) => {
    const { serverId, incarnation, hostId, hostName } = row
    const parts = lacks.get(nameOf(row))!.map((part) => words[part])
    return finding('guest.lacks-disk', {
      about: { serverId, incarnation, hostId, hostName },
      message: `The guest of server ${serverId} on host ${hostName} lacks ${parts.join(' and ')}.`,
    })
  })
}

const words: Record<DiskPart, string> = { disk: 'its disk', image: 'the image that its disk stands on' }
