import type { HostId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { canHear, deafAfterMs } from './hearing.js'
import { hostIsAlive } from './services.js'

/** A host as who looks after it sees it. */
export interface HostRow {
  id: HostId
  name: string
  address: string
  alive: boolean
  forcedDown: boolean
  quarantine: string | null
  enabled: boolean
  disabledReason: string | null
  fencingEpoch: number
  virtType: string
  lastHeardAt: Date | null
  serverCount: number
  /** Steps of operations that wait for it. */
  waitingSteps: number
  /** Servers that are deleted, and of which it has not confirmed that it removed them. */
  tombstones: { serverId: ServerId; incarnation: number }[]
  /** What was given up while it was fenced, and it is to remove when it comes. */
  abandoned: { serverId: ServerId; incarnation: number }[]
}

const serverAndIncarnation = (of: string) =>
  `COALESCE(jsonb_agg(jsonb_build_object('serverId', ${of}.server_id, 'incarnation', ${of}.incarnation)), '[]')`

const readHosts = `
  SELECT h.id, h.name, h.address, ${hostIsAlive} AS alive, h.forced_down AS "forcedDown", h.quarantine, h.enabled,
    h.disabled_reason AS "disabledReason", h.fencing_epoch AS "fencingEpoch", h.virt_type AS "virtType",
    h.last_heard_at AS "lastHeardAt", h.server_count AS "serverCount",
    (SELECT count(*) FROM operation_steps s WHERE s.host_id = h.id AND s.state = 'open') AS "waitingSteps",
    (SELECT ${serverAndIncarnation('a')} FROM allocations a JOIN servers v ON v.id = a.server_id
     WHERE a.host_id = h.id AND v.deleted_at IS NOT NULL) AS tombstones,
    (SELECT ${serverAndIncarnation('g')} FROM abandoned_guests g WHERE g.host_id = h.id) AS abandoned
  FROM hosts h WHERE $2::uuid IS NULL OR h.id = $2 ORDER BY h.number`

/** Every host, in the order in which they were first seen. */
export async function listHosts(db: Queryable, silenceMs: number): Promise<HostRow[]> {
  return await db.query<HostRow>(readHosts, [silenceMs, null])
}

export async function findHost(db: Queryable, id: HostId, silenceMs: number): Promise<HostRow | undefined> {
  const [row] = await db.query<HostRow>(readHosts, [silenceMs, id])
  return row
}

/** Whether what hosts say reaches us: while it does not, no host is declared down and no server placed. */
export async function hostsAreHeard(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ able: boolean }>(`SELECT ${canHear('$1')} AS able`, [deafAfterMs])
  return row!.able
}
