import { operation, type Effect } from '../definition.js'
import { releasePorts } from './effects.js'

const forget: Effect = async (tx, located, result) => {
  const { server } = located
  await tx.releaseRoom(server.id, server.incarnation)
  await releasePorts(tx, located, result)
  await tx.markDeleted(server.id)
}

/** For its tenant the server is gone; its room and its addresses stay held, as a tombstone, until the host confirms or is fenced. */
const leaveTombstone: Effect = async (tx, { server }) => {
  if (server.hasPorts) await tx.giveUpPorts(server.id)
  await tx.markDeleted(server.id)
}

/**
 * Removes the guest from its host, then its records. A server without a host is forgotten where the request is taken,
 * and needs no operation.
 */
export const deleteServer = operation('server.delete', {
  action: 'delete',
  wanted: 'deleted',
  deadlineMs: 2 * 60_000,
  maxAttempts: 1,
  steps: {
    destroy: {
      by: 'destroy',
      taskState: 'deleting',
      event: 'compute_terminate_instance',
      done: forget,
      persistent: true,
      noUndo: 'a deletion is not taken back: it is repeated until the host confirms it',
    },
  },
  failed: async () => undefined,
  overdue: leaveTombstone,
})
