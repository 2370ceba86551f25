import { recordAction, type PgOperationTransaction } from '@nubo/database'
import type { Opened, OperationEngine, Requester, ServerRecord } from '@nubo/workflow'

/** Deletes a server that has no live operation: its host is told to remove the guest, or where it has none it is forgotten at once. */
export async function deleteServer(
  tx: PgOperationTransaction,
  engine: OperationEngine,
  server: ServerRecord,
  requester: Requester,
): Promise<Opened> {
  if (server.hostId) return await engine.begin(tx, 'server.delete', server, requester)
  await tx.setWanted(server.id, 'deleted')
  if (server.hasPorts) await tx.releasePorts(server.id)
  await tx.markDeleted(server.id)
  const { requestId, userId } = requester
  await recordAction(tx.tx, { server, kind: 'server.delete', message: null, requestId, userId })
  return undefined
}
