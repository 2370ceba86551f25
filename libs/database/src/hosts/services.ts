import type { Queryable } from '../connection.js'
import { heardSoFar } from './hearing.js'

/** A program of the control plane or of a host, named as Nova names it: nova-compute, nova-scheduler, nova-conductor. */
export interface ServiceRow {
  /** Of a nova-compute: its host's. */
  id: string
  /** For clients from before the ids; no two services have the same. */
  number: number
  binary: string
  host: string
  enabled: boolean
  disabledReason: string | null
  forcedDown: boolean
  alive: boolean
  lastHeardAt: Date | null
}

/** Hosts and control services are each counted from one: even numbers are of hosts, odd ones of the others. */
export const computeServiceNumber = 'h.number * 2'
const controlServiceNumber = 'c.number * 2 - 1'

/** Of `hosts h`, with the silence in milliseconds as $1: counted in time in which it could have been heard. */
export const hostIsAlive = `(h.session_id IS NOT NULL AND NOT h.forced_down AND h.heard_ms > ${heardSoFar} - $1)`

/** Schedulers and conductors write down themselves that they are here, so the database's clock judges them. */
const controlServiceIsAlive = `c.last_heard_at > clock_timestamp() - $1 * interval '1 millisecond'`

const services = `
  SELECT h.id, ${computeServiceNumber} AS number, 'nova-compute' AS binary, h.name AS host, h.enabled,
    h.disabled_reason AS "disabledReason", h.forced_down AS "forcedDown", ${hostIsAlive} AS alive,
    h.last_heard_at AS "lastHeardAt" FROM hosts h
  UNION ALL
  SELECT c.id, ${controlServiceNumber}, c.binary, c.host, true, NULL, false, ${controlServiceIsAlive}, c.last_heard_at
  FROM control_services c`

export interface ServiceFilter {
  host?: string | undefined
  binary?: string | undefined
}

export async function listServices(db: Queryable, silenceMs: number, filter: ServiceFilter = {}): Promise<ServiceRow[]> {
  return await db.query<ServiceRow>(
    `SELECT * FROM (${services}) s WHERE ($2::text IS NULL OR host = $2) AND ($3::text IS NULL OR s.binary = $3) ORDER BY number`,
    [silenceMs, filter.host ?? null, filter.binary ?? null],
  )
}

/** What names a service: its id, or its number for clients from before the ids. */
export type ServiceKey = { id: string } | { number: number }

export async function findService(db: Queryable, key: ServiceKey, silenceMs: number): Promise<ServiceRow | undefined> {
  const [column, value] = 'id' in key ? ['id', key.id] : ['number', key.number]
  const [row] = await db.query<ServiceRow>(`SELECT * FROM (${services}) s WHERE ${column} = $2`, [silenceMs, value])
  return row
}

export interface ComputeServiceChanges {
  enabled?: boolean | undefined
  /** Goes with `enabled`. */
  disabledReason?: string | null | undefined
  /** True fences the host: an operator's word that nothing runs on it any more. False lets it register again. */
  forcedDown?: boolean | undefined
}

/** A fence ends the host's session and its epoch: whatever was commanded under them is refused from now on. */
const changeComputeService = `
  UPDATE hosts SET enabled = COALESCE($2, enabled),
    disabled_reason = CASE WHEN $2::boolean IS NULL THEN disabled_reason ELSE $3 END,
    forced_down = COALESCE($4, forced_down),
    fencing_epoch = fencing_epoch + CASE WHEN $4::boolean AND NOT forced_down THEN 1 ELSE 0 END,
    session_id = CASE WHEN $4::boolean THEN NULL ELSE session_id END,
    updated_at = clock_timestamp() WHERE id = $1`

/** False where there is no such host. */
export async function updateComputeService(db: Queryable, id: string, changes: ComputeServiceChanges): Promise<boolean> {
  const { enabled = null, disabledReason = null, forcedDown = null } = changes
  return (await db.execute(changeComputeService, [id, enabled, disabledReason, forcedDown])) > 0
}

export async function deleteControlService(db: Queryable, id: string): Promise<void> {
  await db.execute('DELETE FROM control_services WHERE id = $1', [id])
}
