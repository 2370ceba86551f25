import type { PortId } from '@nubo/kernel'
import { operation, type Effect, type OperationDefinition } from '../definition.js'
import { leaveAsItIs } from './effects.js'

/** What both operations are about: a port that is bound to the server already, or still. */
export interface InterfaceInput extends Record<string, unknown> {
  portId: PortId
}

export function portOf(input: Record<string, unknown>): PortId {
  return (input as InterfaceInput).portId
}

const releasePort: Effect = async (tx, { server, operation }) => {
  await tx.releasePort(server.id, portOf(operation.input))
}

/** The server itself goes on as it is, whatever comes of its interface. */
const beside = {
  deadlineMs: 5 * 60_000,
  maxAttempts: 1,
  failed: leaveAsItIs,
  givenUp: leaveAsItIs,
} satisfies Partial<OperationDefinition>

/**
 * Plugs a port into a server that has a host. The port is the server's from the beginning: given up at its deadline it stays
 * so, as the guest may have it; the next start makes it so.
 */
export const attachInterface = operation('server.attach-interface', {
  ...beside,
  action: 'attach_interface',
  steps: {
    attach: {
      by: 'attach-interface',
      event: 'compute_attach_interface',
      done: leaveAsItIs,
      undo: { by: 'detach-interface', done: releasePort },
    },
  },
})

/** Takes a port off a server that has a host. A guest that does not let go keeps it. */
export const detachInterface = operation('server.detach-interface', {
  ...beside,
  action: 'detach_interface',
  steps: {
    detach: {
      by: 'detach-interface',
      event: 'compute_detach_interface',
      done: async (...done) => {
        await releasePort(...done)
        await leaveAsItIs(...done)
      },
      noUndo: 'an interface that is out of its guest is not put back',
    },
  },
})
