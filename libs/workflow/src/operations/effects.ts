import type { Effect } from '../definition.js'

export const markActive: Effect = (tx, { server }, result) => tx.markActive(server.id, result.powerState ?? 1)

export const markStopped: Effect = (tx, { server }, result) => tx.markStopped(server.id, result.powerState ?? 4)

export const releaseRoom: Effect = (tx, { server }) => tx.releaseRoom(server.id, server.incarnation)

export const markError: Effect = (tx, { server, operation }) =>
  tx.markError(server.id, operation.message ?? 'The operation failed.')

/** The action failed, the server did not: it is what it was before. */
export const leaveAsItWas: Effect = (tx, { server }) => tx.setTaskState(server.id, null)
