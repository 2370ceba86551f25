import { operation, type Effect } from '../definition.js'

/** What a clearing frees when its host has confirmed that nothing is left there. */
export interface ClearServerInput extends Record<string, unknown> {
  /** Incarnations whose room is held on that host. */
  incarnations: readonly number[]
}

/** Room that was freed meanwhile is not freed again. */
const freeRoom: Effect = async (tx, { server, operation }) => {
  const { incarnations } = operation.input as ClearServerInput
  for (const incarnation of incarnations) await tx.releaseRoom(server.id, incarnation)
}

const leaveServer: Effect = async () => undefined

/**
 * Removes what lies of a server on a host on which its record does not put it, and frees the room that is held for it there.
 * Begun with that host in place of the server's own; the server itself goes on as it is, and is deleted or not.
 */
export const clearServer = operation('server.clear', {
  action: 'clear',
  deadlineMs: 2 * 60_000,
  maxAttempts: 1,
  steps: {
    clear: {
      by: 'destroy',
      event: 'nubo_clear_host',
      done: freeRoom,
      noUndo: 'what no record puts there is not put back',
    },
  },
  failed: leaveServer,
  givenUp: leaveServer,
})
