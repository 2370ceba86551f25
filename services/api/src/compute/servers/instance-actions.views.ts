import type { ServerActionRow, ServerActionStepRow } from '@nubo/database'
import { zonelessTimestamp } from '@nubo/wire'
import type { OperationEngine } from '@nubo/workflow'
import { hostIdOf } from './servers.views.js'

const observedPrefix = 'server.observed-'

/** What tells of an action as Nova does: the name, and 'Error' where it did not come to its end. */
export function instanceActionView(action: ServerActionRow, serverId: string, engine: OperationEngine) {
  return {
    action: nameOf(action, engine),
    instance_uuid: serverId,
    request_id: action.requestId,
    user_id: action.userId,
    project_id: action.projectId,
    start_time: zonelessTimestamp(action.startedAt),
    updated_at: zonelessTimestamp(action.updatedAt),
    message: action.message ?? (action.state === 'failed' ? 'Error' : null),
  }
}

export function instanceActionEventView(
  step: ServerActionStepRow,
  action: ServerActionRow,
  engine: OperationEngine,
  admin: boolean,
) {
  const event = engine.definition(action.kind).steps[step.name]?.event ?? step.name
  return {
    event: step.direction === 'undo' ? `undo_${event}` : event,
    start_time: zonelessTimestamp(step.openedAt),
    finish_time: step.finishedAt && zonelessTimestamp(step.finishedAt),
    result: resultOf(step),
    hostId: hostIdOf(action.projectId, step.hostName),
    details: step.state === 'failed' ? (step.result?.message ?? null) : null,
    ...(admin ? { traceback: null, host: step.hostName } : {}),
  }
}

function resultOf(step: ServerActionStepRow): string | null {
  if (step.state === 'open') return null
  return step.state === 'done' ? 'Success' : 'Error'
}

function nameOf(action: ServerActionRow, engine: OperationEngine): string {
  return action.kind.startsWith(observedPrefix) ? action.kind.slice(observedPrefix.length) : engine.definition(action.kind).action
}
