import type { HostId, NetworkId, SessionId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { hostIsAlive } from '../hosts/services.js'
import { freeHeldByNobody, heldByNobody } from './held-by-hosts.js'
import { isOfRouter } from './routers.js'

/** Changes that are taken out in one transaction at the most. */
const batchSize = 1_000
/** A host that has not said that it carries its plan is told again after so long. */
const tellAgainMs = 10_000

/**
 * Takes changes out, and raises the plan of every host that one of them concerns, once. What is bound to such a host and was
 * in no plan yet is in that one: a plan is read after its revision was raised, so it holds all that was seen here.
 */
const raise = `
  WITH taken AS (
    DELETE FROM network_changes c USING (SELECT id FROM network_changes ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED) d
    WHERE c.id = d.id RETURNING c.subject, c.subject_id),
  concerned AS (
    SELECT subject_id AS host_id FROM taken WHERE subject = 'host'
    UNION SELECT p.host_id FROM taken t JOIN ports p ON p.network_id = t.subject_id WHERE t.subject = 'network'
    UNION SELECT p.host_id FROM taken t JOIN ports p ON p.server_id = t.subject_id WHERE t.subject = 'server'
    UNION SELECT p.host_id FROM taken t JOIN ports p ON p.id = t.subject_id WHERE t.subject = 'port'
    UNION SELECT unnest(ARRAY[r.host_id, r.left_host_id]) FROM taken t JOIN routers r ON r.id = t.subject_id WHERE t.subject = 'router'
    UNION SELECT p.host_id FROM taken t JOIN port_security_groups g ON g.group_id = t.subject_id
      OR g.group_id IN (SELECT r.group_id FROM security_group_rules r WHERE r.remote_group_id = t.subject_id)
      JOIN ports p ON p.id = g.port_id WHERE t.subject = 'group'),
  raised AS (
    INSERT INTO host_networks AS n (host_id, wanted, next_hint_at)
    SELECT h.id, 1, clock_timestamp() FROM concerned c JOIN hosts h ON h.id = c.host_id ORDER BY h.id
    ON CONFLICT (host_id) DO UPDATE SET wanted = n.wanted + 1, next_hint_at = clock_timestamp()
    RETURNING n.host_id, n.wanted),
  ports_planned AS (
    UPDATE ports p SET plan_revision = r.wanted FROM raised r WHERE p.host_id = r.host_id AND p.plan_revision IS NULL),
  holders_planned AS (
    UPDATE port_holders h SET plan_revision = r.wanted FROM raised r WHERE h.host_id = r.host_id AND h.plan_revision IS NULL),
  routers_planned AS (
    UPDATE routers v SET plan_revision = r.wanted FROM raised r
    WHERE COALESCE(v.left_host_id, v.host_id) = r.host_id AND v.plan_revision IS NULL)
  SELECT count(*) AS taken FROM taken`

/** True while there may be more to take out. */
export async function raisePlans(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ taken: number }>(raise)
  return row!.taken === batchSize
}

/** So many hosts are due at the most in one look. */
export const duePlansAtOnce = 100

const due = `
  UPDATE host_networks n SET next_hint_at = clock_timestamp() + $2 * interval '1 millisecond'
  FROM (SELECT host_id FROM host_networks JOIN hosts h ON h.id = host_id
        WHERE next_hint_at <= clock_timestamp() AND ${hostIsAlive}
        ORDER BY next_hint_at LIMIT ${duePlansAtOnce} FOR UPDATE OF host_networks SKIP LOCKED) d
  WHERE n.host_id = d.host_id RETURNING n.host_id AS "hostId"`

/** Hosts that are to be told their plan now. A host that cannot hear is told when it comes back. */
export async function takeDuePlans(db: Queryable, silenceMs: number): Promise<HostId[]> {
  return (await db.query<{ hostId: HostId }>(due, [silenceMs, tellAgainMs])).map(({ hostId }) => hostId)
}

/** What is known of a plan that was told: of all of it, of the networks that the trouble is not about, or nothing. */
const isKnown = `($4::text IS NULL OR cardinality($5::uuid[]) > 0)`
const isFine = (network: string) => `${network} <> ALL ($5::uuid[])`

/**
 * The host carries the plan: its ports are in force, and what it carries no more is let go of. With `trouble` a part of it
 * is missing, of the networks $5 or of any: of those nothing is concluded but that, and the host goes on trying. It is told the
 * plan again until it says that all is well. What it said before the newest that is known says nothing any more.
 */
const applied = `
  WITH host AS (
    UPDATE host_networks n SET trouble = $4::text, warning = $6::text, seen_session = $2, seen_sequence = COALESCE($7::bigint, 0),
      applied = CASE WHEN ${isKnown} THEN GREATEST(applied, $3) ELSE applied END,
      next_hint_at = CASE WHEN $4::text IS NOT NULL THEN COALESCE(next_hint_at, clock_timestamp() + ${tellAgainMs} * interval '1 millisecond')
        WHEN wanted <= $3 THEN NULL ELSE next_hint_at END
    FROM hosts h WHERE n.host_id = $1 AND h.id = n.host_id AND h.session_id = $2 AND $3 <= n.wanted
      AND (n.seen_session IS DISTINCT FROM $2 OR $7::bigint IS NULL OR n.seen_sequence < $7)
    RETURNING n.host_id, CASE WHEN ${isKnown} THEN $3::bigint ELSE 0 END AS applied),
  active AS (
    UPDATE ports p SET status = CASE WHEN p.admin_state_up THEN 'ACTIVE' ELSE 'DOWN' END FROM host
    WHERE p.host_id = host.host_id AND p.plan_revision <= host.applied AND p.gone_at IS NULL AND ${isFine('p.network_id')}
      AND p.status <> CASE WHEN p.admin_state_up THEN 'ACTIVE' ELSE 'DOWN' END),
  waiting AS (
    UPDATE ports p SET status = 'DOWN' FROM host
    WHERE $4::text IS NOT NULL AND p.host_id = host.host_id AND p.plan_revision <= $3 AND p.status = 'BUILD'
      AND NOT (${isKnown} AND ${isFine('p.network_id')})),
  gone AS (
    DELETE FROM ports p USING host WHERE p.host_id = host.host_id AND p.plan_revision <= host.applied AND p.gone_at IS NOT NULL
      AND ${isFine('p.network_id')}),
  left_routers AS (
    UPDATE routers r SET left_host_id = NULL, plan_revision = NULL FROM host
    WHERE r.left_host_id = host.host_id AND r.plan_revision <= host.applied
      AND NOT EXISTS (SELECT FROM ports p WHERE p.device_id = r.id::text AND p.network_id = ANY ($5::uuid[])) RETURNING r.id),
  let_go AS (
    DELETE FROM port_holders h USING host, ports p WHERE h.host_id = host.host_id AND h.plan_revision <= host.applied
      AND p.id = h.port_id AND ${isFine('p.network_id')} RETURNING h.port_id),
  noted AS (INSERT INTO network_changes (subject, subject_id) SELECT 'router', id FROM left_routers)
  SELECT count(*) AS "letGo" FROM let_go`

export interface AppliedPlan {
  hostId: HostId
  sessionId: SessionId
  /** Of what the host said in that session; null where it does not number it. */
  sequence: number | null
  revision: number
  trouble: string | null
  /** The networks that the trouble is about; none where it may be about any. */
  troubled: readonly NetworkId[]
  warning: string | null
}

/** What a host says under a session that is over says nothing, nor what it has said anew since. */
export async function recordApplied(db: Queryable, plan: AppliedPlan): Promise<void> {
  const { hostId, sessionId, sequence, revision, trouble, troubled, warning } = plan
  const [row] = await db.query<{ letGo: number }>(applied, [hostId, sessionId, revision, trouble, troubled, warning, sequence])
  if (row!.letGo > 0) await freeHeldByNobody(db)
}

/** By host, what it said that it cannot make of its networks. */
export async function troublesOfHosts(db: Queryable): Promise<Map<string, string>> {
  const rows = await db.query<{ hostId: string; trouble: string }>(
    'SELECT host_id AS "hostId", trouble FROM host_networks WHERE trouble IS NOT NULL',
  )
  return new Map(rows.map(({ hostId, trouble }) => [hostId, trouble]))
}

/**
 * A fenced host carries nothing any more: ports that were deleted, and routers that have left, wait for it no longer. Routers
 * that live there leave it.
 */
const settle = `
  WITH fenced AS (SELECT id FROM hosts WHERE forced_down),
  gone AS (DELETE FROM ports p USING fenced WHERE p.host_id = fenced.id AND p.gone_at IS NOT NULL),
  let_go AS (DELETE FROM port_holders h USING fenced WHERE h.host_id = fenced.id),
  freed AS (
    UPDATE routers r SET host_id = CASE WHEN r.host_id = fenced.id THEN NULL ELSE r.host_id END,
      left_host_id = NULL, plan_revision = NULL
    FROM fenced WHERE r.host_id = fenced.id OR r.left_host_id = fenced.id RETURNING r.id),
  unbound AS (
    UPDATE ports p SET host_id = NULL, plan_revision = NULL, status = 'DOWN' FROM freed, fenced
    WHERE p.device_id = freed.id::text AND ${isOfRouter('p')} AND p.host_id = fenced.id)
  INSERT INTO network_changes (subject, subject_id) SELECT 'router', id FROM freed`

export async function settleFencedNetworks(db: Queryable): Promise<void> {
  await db.execute(settle)
  await freeHeldByNobody(db)
}

const work = `
  SELECT EXISTS (SELECT FROM network_changes)
    OR EXISTS (SELECT FROM host_networks n JOIN hosts h ON h.id = n.host_id WHERE n.next_hint_at <= clock_timestamp() AND ${hostIsAlive})
    OR EXISTS (SELECT FROM routers r LEFT JOIN hosts h ON h.id = r.host_id
               WHERE r.host_id IS NULL OR h.forced_down OR NOT h.enabled OR h.quarantine IS NOT NULL)
    OR EXISTS (SELECT FROM ports p JOIN hosts h ON h.id = p.host_id WHERE h.forced_down AND p.gone_at IS NOT NULL)
    OR EXISTS (SELECT FROM port_holders n JOIN hosts h ON h.id = n.host_id WHERE h.forced_down)
    OR EXISTS (SELECT FROM ports p WHERE ${heldByNobody}) AS "toDo"`

/** Whether there may be anything to do for the networks: one cheap look for whoever asks often. */
export async function networksNeedWork(db: Queryable, silenceMs: number): Promise<boolean> {
  const [row] = await db.query<{ toDo: boolean }>(work, [silenceMs])
  return row!.toDo
}
