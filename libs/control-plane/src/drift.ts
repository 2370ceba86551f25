import { clearInterrupted, recordAction, type PgOperationTransaction } from '@nubo/database'
import { reactionToDrift, type TaskState, type VmState } from '@nubo/domain'
import type { Opened, OperationEngine, Requester, ServerRecord } from '@nubo/workflow'

/** Lets a server without a live operation follow what its host saw of it, and says why in its actions. */
export async function followDrift(
  tx: PgOperationTransaction,
  engine: OperationEngine,
  server: ServerRecord,
  why: string,
  requester: Requester,
): Promise<Opened> {
  const recorded = { vmState: server.vmState as VmState, taskState: server.taskState as TaskState | null }
  const { requestId, userId } = requester
  const note = async (kind: string, message: string) => recordAction(tx.tx, { server, kind, message, requestId, userId })
  switch (reactionToDrift(recorded, server.powerState, false)) {
    case 'settle':
      // It did not end by itself: its host was started again while an operation kept it from being started too.
      if (await clearInterrupted(tx.tx, server.id, server.incarnation))
        return await engine.begin(tx, 'server.start', server, requester)
      await tx.markStopped(server.id, { powerState: server.powerState })
      await tx.setWanted(server.id, 'stopped')
      await note('server.observed-stop', why)
      return undefined
    case 'stop':
      await note('server.observed-start', `${why} It is stopped again, as its record says.`)
      return await engine.begin(tx, 'server.stop', server, requester)
    default:
      return undefined
  }
}
