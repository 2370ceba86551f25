import type { HostId, OperationId, ServerId, StepId } from '@nubo/kernel'
import type { CheckOptions, RecordCheck } from './check.js'
import { finding, type FindingSubject } from './finding.js'
import type { FindingCode } from './finding-kinds.js'

interface OperationRow {
  operationId: OperationId
  kind: string
  serverId: ServerId | null
  since: Date
}

const columns = `o.id AS "operationId", o.kind, o.server_id AS "serverId"`
const isLive = `o.state IN ('running', 'unwinding')`

/** Promise 3: every operation under way has an open step, so that somebody is told of it. */
export const everyOperationHasAStep: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<OperationRow>(
    `SELECT ${columns}, o.updated_at AS since FROM operations o
     WHERE ${isLive} AND NOT EXISTS (SELECT FROM operation_steps s WHERE s.operation_id = o.id AND s.state = 'open')
     ORDER BY o.started_at LIMIT $1`,
    [limit],
  )
  return rows.map((row) =>
    ofOperation('operation.without-step', row, `${named(row)} is under way and has no open step: nobody is told of it.`),
  )
}

/** Promise 3: whatever is under way ends by a deadline. What a deletion left to be confirmed lasts until it is. */
export const everyOperationHasADeadline: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<OperationRow>(
    `SELECT ${columns}, o.started_at AS since FROM operations o LEFT JOIN servers v ON v.id = o.server_id
     WHERE ${isLive} AND o.deadline_at IS NULL AND v.deleted_at IS NULL ORDER BY o.started_at LIMIT $1`,
    [limit],
  )
  return rows.map((row) =>
    ofOperation('operation.without-deadline', row, `${named(row)} is under way and has no deadline: it may last for ever.`),
  )
}

/**
 * Promise 3: whatever is under way ends by its deadline. Deadlines count time in which somebody watched them: one that passed
 * after the last look is nobody's fault yet.
 */
export const noOperationIsOverdue: RecordCheck = async (db, { limit, graceMs }) => {
  const rows = await db.query<OperationRow>(
    `SELECT ${columns}, o.deadline_at AS since FROM operations o, deadline_watch w
     WHERE ${isLive} AND o.deadline_at < w.watched_at - $2 * interval '1 millisecond' ORDER BY o.deadline_at LIMIT $1`,
    [limit, graceMs],
  )
  return rows.map((row) => ofOperation('operation.overdue', row, `${named(row)} is past its deadline, and was not ended.`))
}

/**
 * Promise 3: somebody watches the deadlines of what is under way. A cloud in which nothing was under way so long needs
 * nobody, and one that has just begun has nobody yet.
 */
export const deadlinesAreWatched: RecordCheck = async (db, { graceMs }) => {
  const rows = await db.query<{ since: Date; live: number }>(
    `SELECT w.watched_at AS since, count(*) AS live FROM deadline_watch w, operations o
     WHERE ${isLive} AND GREATEST(w.watched_at, o.started_at) < clock_timestamp() - $1 * interval '1 millisecond' GROUP BY 1`,
    [graceMs],
  )
  return rows.map(({ since, live }) =>
    finding('deadlines.unwatched', {
      about: {},
      message: `Nobody watches the deadlines of ${live} ${live === 1 ? 'operation' : 'operations'}.`,
      since,
    }),
  )
}

function ofOperation(code: FindingCode, { operationId, serverId, since }: OperationRow, message: string) {
  return finding(code, { about: { operationId, ...(serverId && { serverId }) }, message, since })
}

function named({ kind, operationId, serverId }: OperationRow): string {
  return `Operation ${kind} (${operationId})${serverId ? ` of server ${serverId}` : ''}`
}

interface StepRow extends OperationRow {
  stepId: StepId
  step: string
  hostId: HostId | null
  hostName: string | null
}

const readSteps = (since: string, condition: string) => `
  SELECT ${columns}, s.id AS "stepId", s.name AS step, s.host_id AS "hostId", h.name AS "hostName", ${since} AS since
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id LEFT JOIN hosts h ON h.id = s.host_id
  WHERE s.state = 'open' AND ${condition} ORDER BY s.opened_at LIMIT $1`

const readStepsOfEnded = readSteps('o.finished_at', `NOT (${isLive})`)

/** Promise 3: an operation that ended leaves no step that is still told of. */
export const noStepOutlivesItsOperation: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<StepRow>(readStepsOfEnded, [limit])
  return rows.map((row) => ofStep('step.of-ended-operation', row, `${named(row)} has ended, and its step ${row.step} is open.`))
}

const readNeverHinted = readSteps('s.opened_at', `${isLive} AND s.next_hint_at IS NULL`)
const readHintOverdue = readSteps(
  's.next_hint_at',
  `${isLive} AND s.next_hint_at < clock_timestamp() - $2 * interval '1 millisecond'`,
)

/** Promise 3: somebody is told again of every open step, in time. */
export const everyStepIsHinted: RecordCheck = async (db, { limit, graceMs }: CheckOptions) => {
  const never = await db.query<StepRow>(readNeverHinted, [limit])
  const late = await db.query<StepRow>(readHintOverdue, [limit, graceMs])
  return [
    ...never.map((row) =>
      ofStep('step.never-hinted', row, `The step ${row.step} of ${named(row)} is open, and nobody will be told of it again.`),
    ),
    ...late.map((row) =>
      ofStep('step.hint-overdue', row, `The step ${row.step} of ${named(row)} is open, and was not hinted at when it was due.`),
    ),
  ]
}

function ofStep(code: FindingCode, { operationId, serverId, stepId, hostId, hostName, since }: StepRow, message: string) {
  const about: FindingSubject = { operationId, stepId, ...(serverId && { serverId }) }
  return finding(code, { about: { ...about, ...(hostId && { hostId }), ...(hostName && { hostName }) }, message, since })
}
