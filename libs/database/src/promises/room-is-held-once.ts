import type { HostId, ServerId } from '@nubo/kernel'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface AllocationRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  createdAt: Date
  current: number
}

/** A server that was made, and is on no host though it is not gone: what holds room for it may be all there is of it. */
export const isAdrift = `(v.host_id IS NULL AND v.deleted_at IS NULL AND v.vm_state NOT IN ('building', 'error'))`

/** Of a server that is deleted, or adrift, other checks tell. While an operation is under way it is about to settle this. */
const readOrphans = `
  SELECT a.server_id AS "serverId", a.incarnation, a.host_id AS "hostId", h.name AS "hostName", a.created_at AS "createdAt",
    v.incarnation AS current
  FROM allocations a JOIN servers v ON v.id = a.server_id JOIN hosts h ON h.id = a.host_id
  WHERE (v.host_id IS DISTINCT FROM a.host_id OR v.incarnation <> a.incarnation) AND v.deleted_at IS NULL
    AND NOT (${isAdrift} AND a.incarnation = v.incarnation)
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.kind = 'server.clear' AND o.state IN ('running', 'unwinding'))
  ORDER BY a.created_at LIMIT $1`

/** Promise 2: a server holds room for one incarnation on one host, the one that its record names. */
export const roomIsHeldOnce: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<AllocationRow>(readOrphans, [limit])
  return rows.map(({ serverId, incarnation, hostId, hostName, createdAt, current }) =>
    finding('allocation.orphaned', {
      about: { serverId, incarnation, hostId, hostName },
      message: `Host ${hostName} holds room for incarnation ${incarnation} of server ${serverId}, whose record does not name it there (it is at incarnation ${current}).`,
      since: createdAt,
    }),
  )
}

interface ServerRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  updatedAt: Date
}

const readWithoutRoom = `
  SELECT v.id AS "serverId", v.incarnation, v.host_id AS "hostId", h.name AS "hostName", v.updated_at AS "updatedAt"
  FROM servers v JOIN hosts h ON h.id = v.host_id
  WHERE v.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM allocations a WHERE a.server_id = v.id AND a.incarnation = v.incarnation AND a.host_id = v.host_id)
  ORDER BY v.created_at LIMIT $1`

/** Promise 2: a server that is on a host holds room there. */
export const everyHostedServerHoldsRoom: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<ServerRow>(readWithoutRoom, [limit])
  return rows.map(({ serverId, incarnation, hostId, hostName, updatedAt }) =>
    finding('server.room-missing', {
      about: { serverId, incarnation, hostId, hostName },
      message: `Server ${serverId} is on host ${hostName}, which holds no room for its incarnation ${incarnation}.`,
      since: updatedAt,
    }),
  )
}

const readAdrift = `
  SELECT v.id AS "serverId", v.incarnation, v.updated_at AS "updatedAt" FROM servers v
  WHERE ${isAdrift} AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY v.created_at LIMIT $1`

/** Promise 2: a server that was made is on a host. */
export const everyMadeServerHasAHost: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<Omit<ServerRow, 'hostId' | 'hostName'>>(readAdrift, [limit])
  return rows.map(({ serverId, incarnation, updatedAt }) =>
    finding('server.host-missing', {
      about: { serverId, incarnation },
      message: `Server ${serverId} was made, and by its record is on no host.`,
      since: updatedAt,
    }),
  )
}
