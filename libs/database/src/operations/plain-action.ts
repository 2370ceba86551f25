import type { RequestId, UserId } from '@nubo/kernel'
import type { ServerRecord } from '@nubo/workflow'
import type { Transaction } from '../connection.js'

const insertAction = `
  INSERT INTO operations (id, kind, server_id, project_id, user_id, request_id, state, message, started_at, finished_at)
  VALUES (gen_random_uuid(), $4, $1, $2, $6, $3, 'done', $5, clock_timestamp(), clock_timestamp())`

/** Something that was done to a server in no time, or that it did by itself: it has no steps. */
export interface PlainAction {
  server: ServerRecord
  /** An operation's kind, or 'server.observed-…' for what nobody asked for. */
  kind: string
  message: string | null
  requestId: RequestId
  userId: UserId | null
}

export async function recordAction(tx: Transaction, action: PlainAction): Promise<void> {
  const { server, kind, message, requestId, userId } = action
  await tx.execute(insertAction, [server.id, server.projectId, requestId, kind, message, userId])
}
