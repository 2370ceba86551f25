import type { HostId, OperationId, ProjectId, ServerId, StepId } from '@nubo/kernel'
import type { OperationState } from '@nubo/workflow'
import type { Queryable } from '../connection.js'

/** An operation as whoever asks for it sees it. Times left and gone by are PostgreSQL's to tell, in whole seconds. */
export interface OperationRow {
  id: OperationId
  kind: string
  state: OperationState
  serverId: ServerId | null
  projectId: ProjectId
  userId: string | null
  requestId: string
  message: string | null
  failureScope: string | null
  startedAt: Date
  updatedAt: Date
  finishedAt: Date | null
  /** Since it began, until now or until it ended. */
  ageSeconds: number
  /** Until it is given up; null where it lasts until it is done, and below 0 where somebody is about to end it. */
  secondsLeft: number | null
  /** The step that is open, if one is. */
  openStep: { name: string; direction: 'do' | 'undo'; attempt: number } | null
  /** Why a step of it failed last, if one did. */
  lastFailure: string | null
}

export interface OperationStepRow {
  id: StepId
  name: string
  direction: 'do' | 'undo'
  state: string
  hostId: HostId | null
  hostName: string | null
  attempt: number
  /** How often somebody was told of it again. */
  hints: number
  openedAt: Date
  finishedAt: Date | null
  /** Until somebody is told of it again, where it is open. */
  nextHintInSeconds: number | null
  result: { message?: string; detail?: string } | null
}

export interface OperationFilter {
  /** Of all projects where absent. */
  projectId?: ProjectId | undefined
  states?: readonly OperationState[] | undefined
  serverId?: string | undefined
  kind?: string | undefined
  /** That began at least so long ago. */
  olderThanSeconds?: number | undefined
}

const seconds = (interval: string) => `floor(extract(epoch FROM ${interval}))::int`

const columns = `o.id, o.kind, o.state, o.server_id AS "serverId", o.project_id AS "projectId", o.user_id AS "userId",
  o.request_id AS "requestId", o.message, o.failure_scope AS "failureScope", o.started_at AS "startedAt", o.updated_at AS "updatedAt",
  o.finished_at AS "finishedAt", ${seconds('COALESCE(o.finished_at, clock_timestamp()) - o.started_at')} AS "ageSeconds",
  ${seconds('o.deadline_at - clock_timestamp()')} AS "secondsLeft",
  (SELECT jsonb_build_object('name', s.name, 'direction', s.direction, 'attempt', s.attempt)
   FROM operation_steps s WHERE s.operation_id = o.id AND s.state = 'open') AS "openStep",
  (SELECT s.result->>'message' FROM operation_steps s
   WHERE s.operation_id = o.id AND s.state = 'failed' ORDER BY s.finished_at DESC LIMIT 1) AS "lastFailure"`

const list = `
  SELECT ${columns} FROM operations o
  WHERE ($1::text IS NULL OR o.project_id = $1) AND ($2::text[] IS NULL OR o.state = ANY($2)) AND ($3::uuid IS NULL OR o.server_id = $3)
    AND ($4::text IS NULL OR o.kind = $4) AND ($5::int IS NULL OR o.started_at <= clock_timestamp() - $5 * interval '1 second')
    AND ($6::uuid IS NULL OR (o.started_at, o.id) < (SELECT m.started_at, m.id FROM operations m WHERE m.id = $6))
  ORDER BY o.started_at DESC, o.id DESC LIMIT $7`

/** Newest first, those behind `marker` where one is given. */
export async function listOperations(
  db: Queryable,
  filter: OperationFilter,
  page: { limit: number; marker?: OperationId | undefined },
): Promise<OperationRow[]> {
  const { projectId = null, states = null, serverId = null, kind = null, olderThanSeconds = null } = filter
  return await db.query<OperationRow>(list, [
    ...[projectId, states, serverId, kind, olderThanSeconds],
    ...[page.marker ?? null, page.limit],
  ])
}

/** Of `projectId`, where one is given. */
export async function findOperation(
  db: Queryable,
  id: OperationId,
  projectId: ProjectId | undefined,
): Promise<OperationRow | undefined> {
  const [row] = await db.query<OperationRow>(
    `SELECT ${columns} FROM operations o WHERE o.id = $1 AND ($2::text IS NULL OR o.project_id = $2)`,
    [id, projectId ?? null],
  )
  return row
}

const steps = `
  SELECT s.id, s.name, s.direction, s.state, s.host_id AS "hostId", h.name AS "hostName", s.attempt, s.hints, s.opened_at AS "openedAt",
    s.finished_at AS "finishedAt", ${seconds('s.next_hint_at - clock_timestamp()')} AS "nextHintInSeconds", s.result
  FROM operation_steps s LEFT JOIN hosts h ON h.id = s.host_id WHERE s.operation_id = $1 ORDER BY s.opened_at, s.id LIMIT $2`

/** A deletion that is asked for again and again may have more steps than anybody reads. */
const stepsAtMost = 1_000

/** In the order in which they were opened. */
export async function listSteps(db: Queryable, id: OperationId): Promise<OperationStepRow[]> {
  return await db.query<OperationStepRow>(steps, [id, stepsAtMost])
}
