import type { ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** One thing that was done to a server, or that it did by itself. */
export interface ServerActionRow {
  requestId: string
  kind: string
  state: string
  message: string | null
  projectId: string
  userId: string | null
  startedAt: Date
  updatedAt: Date
  finishedAt: Date | null
}

export interface ServerActionStepRow {
  name: string
  direction: 'do' | 'undo'
  state: string
  hostName: string | null
  result: { message?: string; detail?: string } | null
  openedAt: Date
  finishedAt: Date | null
}

export interface ServerActionPage {
  limit: number
  /** The request id of the last action of the page before. */
  marker?: string | undefined
  changedSince?: Date | undefined
  changedBefore?: Date | undefined
}

const columns = `o.request_id AS "requestId", o.kind, o.state, o.message, o.project_id AS "projectId", o.user_id AS "userId",
  o.started_at AS "startedAt", o.updated_at AS "updatedAt", o.finished_at AS "finishedAt"`

/** Newest first. */
export async function listServerActions(db: Queryable, serverId: ServerId, page: ServerActionPage): Promise<ServerActionRow[]> {
  return await db.query<ServerActionRow>(
    `SELECT ${columns} FROM operations o WHERE o.server_id = $1
       AND ($2::text IS NULL OR (o.started_at, o.id) < (SELECT m.started_at, m.id FROM operations m WHERE m.server_id = $1 AND m.request_id = $2
                                                        ORDER BY m.started_at LIMIT 1))
       AND ($3::timestamptz IS NULL OR o.updated_at >= $3) AND ($4::timestamptz IS NULL OR o.updated_at <= $4)
     ORDER BY o.started_at DESC, o.id DESC LIMIT $5`,
    [serverId, page.marker ?? null, page.changedSince ?? null, page.changedBefore ?? null, page.limit],
  )
}

export async function findServerAction(
  db: Queryable,
  serverId: ServerId,
  requestId: string,
): Promise<{ action: ServerActionRow; steps: ServerActionStepRow[] } | undefined> {
  const [row] = await db.query<ServerActionRow & { id: string }>(
    `SELECT o.id, ${columns} FROM operations o WHERE o.server_id = $1 AND o.request_id = $2 ORDER BY o.started_at DESC LIMIT 1`,
    [serverId, requestId],
  )
  if (!row) return undefined
  const { id, ...action } = row
  const steps = await db.query<ServerActionStepRow>(
    `SELECT s.name, s.direction, s.state, h.name AS "hostName", s.result, s.opened_at AS "openedAt", s.finished_at AS "finishedAt"
     FROM operation_steps s LEFT JOIN hosts h ON h.id = s.host_id WHERE s.operation_id = $1 ORDER BY s.opened_at DESC, s.id`,
    [id],
  )
  return { action, steps }
}

export interface StoredDecision {
  decision: unknown
  hostName: string | null
  decidedAt: Date
}

/** The newest placement decision of a server. */
export async function findPlacementDecision(db: Queryable, serverId: ServerId): Promise<StoredDecision | undefined> {
  const [row] = await db.query<StoredDecision>(
    `SELECT d.decision, h.name AS "hostName", d.decided_at AS "decidedAt" FROM placement_decisions d LEFT JOIN hosts h ON h.id = d.host_id
     WHERE d.server_id = $1 ORDER BY d.id DESC LIMIT 1`,
    [serverId],
  )
  return row
}
