import { heldWhereItWasSent, type PgOperationTransaction } from '@nubo/database'
import type { HostId } from '@nubo/kernel'
import type { Located, Opened, OperationEngine, Requester, ServerRecord } from '@nubo/workflow'

/**
 * Begins to remove what lies of a server on a host that its record does not put it on, and to free the room that is held for
 * it there. Nothing is removed on a host's word: our own records must say that the server was sent to it. The command names
 * the server's incarnation now, up to which nothing of it may be there.
 * Returns why not, where it may not be.
 */
export async function beginClearing(
  tx: PgOperationTransaction,
  engine: OperationEngine,
  { server, live }: { server: ServerRecord; live: Located | undefined },
  hostId: HostId,
  requester: Requester,
): Promise<{ opened: Opened } | { refused: string }> {
  if (live) return { refused: 'Something is being done to the server; what it leaves is looked at again.' }
  if (server.hostId === hostId && server.vmState !== 'deleted')
    return { refused: 'By its record the server is on this very host: what lies there cannot be told from it.' }
  const incarnations = await heldWhereItWasSent(tx.tx, server.id, hostId)
  if (!incarnations) return { refused: 'No record says that the server was ever sent to this host.' }
  if (isMade(server) && (server.hostId === null || incarnations.includes(server.incarnation)))
    return { refused: 'What lies there may be all there is of the server: a person must see where it is.' }
  return { opened: await engine.begin(tx, 'server.clear', { ...server, hostId }, requester, { incarnations }) }
}

/** It has been made, and is not gone: a guest of its incarnation is what its tenant has. */
function isMade({ vmState }: ServerRecord): boolean {
  return !['building', 'error', 'deleted'].includes(vmState)
}
