import type { OperationRow, OperationStepRow } from '@nubo/database'
import { secondsTimestamp } from '@nubo/wire'
import type { OperationDefinition } from '@nubo/workflow'

/** Tenants do not learn the names of hosts. */
export interface OperationViewOptions {
  nameHosts: boolean
}

export function operationView(row: OperationRow, definition: OperationDefinition | undefined) {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    server_id: row.serverId,
    project_id: row.projectId,
    user_id: row.userId,
    request_id: row.requestId,
    message: row.message,
    failure_scope: row.failureScope,
    started_at: secondsTimestamp(row.startedAt),
    updated_at: secondsTimestamp(row.updatedAt),
    finished_at: row.finishedAt && secondsTimestamp(row.finishedAt),
    age_seconds: row.ageSeconds,
    seconds_left: row.secondsLeft,
    attempt: row.openStep?.attempt ?? null,
    last_failure: row.lastFailure,
    progress: progressView(row, definition),
  }
}

/**
 * How far it has come: the steps that are done of those that it has. While it is unwound it goes back, and what is tried
 * again on another host begins anew.
 */
function progressView({ state, openStep }: OperationRow, definition: OperationDefinition | undefined) {
  const steps = Object.keys(definition?.steps ?? {})
  const at = openStep ? steps.indexOf(openStep.name) : -1
  const undoing = openStep?.direction === 'undo'
  const done = state === 'done' ? steps.length : Math.max(0, undoing ? at + 1 : at)
  return { step: openStep?.name ?? null, undoing, steps_done: done, steps_total: steps.length }
}

export function stepView(step: OperationStepRow, { nameHosts }: OperationViewOptions) {
  return {
    id: step.id,
    name: step.name,
    direction: step.direction,
    state: step.state,
    attempt: step.attempt,
    hints: step.hints,
    opened_at: secondsTimestamp(step.openedAt),
    finished_at: step.finishedAt && secondsTimestamp(step.finishedAt),
    next_hint_in_seconds: step.nextHintInSeconds,
    message: step.result?.message ?? step.result?.detail ?? null,
    ...(nameHosts && { host_id: step.hostId, host: step.hostName }),
  }
}
