import { serverOfPort, type PgOperationTransaction } from '@nubo/database'
import { newId, type Id, type PortId, type Random, type RequestId } from '@nubo/kernel'
import type { Opened, OperationEngine } from '@nubo/workflow'

/** To be called before the port itself is locked. */
export async function lockServerOfPort(tx: PgOperationTransaction, portId: PortId): Promise<void> {
  const serverId = await serverOfPort(tx.tx, portId)
  if (serverId) await tx.lockServer(serverId)
}

/**
 * Takes the interface of a port that its tenant deletes off the guest: in the transaction of the deletion, before it. While
 * something else is being done to the server nothing is begun: no packet passes a port that is gone, and the next start of the
 * guest is without it. But who does it may wait for the port, and is told again without it.
 */
export async function unplugDeletedPort(
  tx: PgOperationTransaction,
  engine: OperationEngine,
  portId: PortId,
  random: Random,
): Promise<Opened> {
  const serverId = await serverOfPort(tx.tx, portId)
  const found = serverId && (await tx.lockServer(serverId))
  if (!found || !found.server.hostId || found.server.wanted === 'deleted') return undefined
  if (found.live) return found.live.step.id
  const requestId = `req-${newId<Id<'request'>>(random)}` as RequestId
  const requester = { projectId: found.server.projectId, userId: null, requestId }
  return await engine.begin(tx, 'server.detach-interface', found.server, requester, { portId })
}
