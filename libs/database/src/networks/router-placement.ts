import type { Queryable } from '../connection.js'
import { hostIsAlive } from '../hosts/services.js'
import { canHear, deafAfterMs } from '../hosts/hearing.js'
import { isOfRouter } from './routers.js'

/** Of `routers r`: what it carries are ports whose device it is. */
const carried = `p.device_id = r.id::text AND ${isOfRouter('p')} AND p.gone_at IS NULL`

/** A host that may get routers: alive, trusted and not to be emptied. */
const isHome = `${hostIsAlive} AND h.enabled AND h.quarantine IS NULL`

/**
 * A router on a host that is to be emptied leaves it, where another host could take it. Another one gets it when this host
 * has said that it carries it no more, or is fenced: never while both might.
 */
const leave = `
  WITH leaving AS (
    UPDATE routers r SET left_host_id = r.host_id, host_id = NULL, plan_revision = NULL
    FROM hosts old WHERE old.id = r.host_id AND (NOT old.enabled OR old.quarantine IS NOT NULL) AND r.left_host_id IS NULL
      AND EXISTS (SELECT FROM hosts h WHERE ${isHome}) AND ${canHear('$2')}
    RETURNING r.id, r.left_host_id)
  INSERT INTO network_changes (subject, subject_id) SELECT 'router', id FROM leaving`

/** Routers with something to carry and no host get the one with the fewest; each under a new incarnation. */
const place = `
  WITH homeless AS (
    SELECT r.id FROM routers r WHERE r.host_id IS NULL AND r.left_host_id IS NULL AND EXISTS (SELECT FROM ports p WHERE ${carried})
    ORDER BY r.created_at LIMIT 100 FOR UPDATE SKIP LOCKED),
  homes AS (
    SELECT h.id, h.fencing_epoch, row_number() OVER (ORDER BY (SELECT count(*) FROM routers o WHERE o.host_id = h.id), random(), h.id) AS place,
      count(*) OVER () AS places
    FROM hosts h WHERE ${isHome} AND ${canHear('$2')}),
  numbered AS (SELECT id, row_number() OVER () AS number FROM homeless)
  UPDATE routers r SET host_id = h.id, fencing_epoch = h.fencing_epoch, incarnation = r.incarnation + 1, plan_revision = NULL
  FROM numbered n JOIN homes h ON h.place = 1 + (n.number - 1) % h.places WHERE r.id = n.id`

/** Ports of routers are bound where their router lives; the networks' other hosts must hear where that is. */
const bind = `
  WITH bound AS (
    UPDATE ports p SET host_id = r.host_id, plan_revision = NULL, status = CASE WHEN r.host_id IS NULL THEN 'DOWN' ELSE 'BUILD' END
    FROM routers r WHERE ${carried} AND p.host_id IS DISTINCT FROM r.host_id AND r.left_host_id IS NULL
    RETURNING p.network_id, r.host_id),
  concerned AS (SELECT 'network' AS subject, network_id AS id FROM bound UNION SELECT 'host', host_id FROM bound WHERE host_id IS NOT NULL)
  INSERT INTO network_changes (subject, subject_id) SELECT subject, id FROM concerned`

/** Moves and places routers, and binds what they carry. To be run in one transaction, before the plans are raised. */
export async function placeRouters(db: Queryable, silenceMs: number): Promise<void> {
  await db.execute(leave, [silenceMs, deafAfterMs])
  await db.execute(place, [silenceMs, deafAfterMs])
  await db.execute(bind)
}
