import type { RequestId } from '@nubo/kernel'
import type { ServerRecord } from '@nubo/workflow'
import type { Transaction } from '../connection.js'

const insertObserved = `
  INSERT INTO operations (id, kind, server_id, project_id, request_id, state, message, started_at, finished_at)
  VALUES (gen_random_uuid(), 'server.observed-' || $4, $1, $2, $3, 'done', $5, clock_timestamp(), clock_timestamp())`

/** Writes into a server's actions what happened to it without anybody having asked for it. */
export async function recordObservedAction(
  tx: Transaction,
  observed: { server: ServerRecord; action: string; message: string; requestId: RequestId },
): Promise<void> {
  const { server, action, message, requestId } = observed
  await tx.execute(insertObserved, [server.id, server.projectId, requestId, action, message])
}
