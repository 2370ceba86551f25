import type { PowerStateCode } from '@nubo/contract'
import type { Effect } from '../definition.js'

const running: PowerStateCode = 1
const off: ReadonlySet<PowerStateCode> = new Set([4, 6])

export const markActive: Effect = (tx, { server }, { powerState = running, report }) =>
  tx.markActive(server.id, { powerState, report })

export const markStopped: Effect = (tx, { server }, { powerState = 4, report }) =>
  tx.markStopped(server.id, { powerState, report })

export const releaseRoom: Effect = (tx, { server }) => tx.releaseRoom(server.id, server.incarnation)

export const markError: Effect = (tx, { server, operation }) =>
  tx.markError(server.id, operation.message ?? 'The operation failed.')

/** The action was about something else than whether it runs: that stays, and what its host saw of it with the result is noted. */
export const leaveAsItIs: Effect = async (tx, { server }, { powerState, report }) => {
  if (powerState !== undefined && report) await tx.recordSeen(server.id, { powerState, report })
  await tx.leaveAsItIs(server.id)
}

/** The action failed, the server did not: it is what its host last saw of it, or what it was before. */
export const standAsSeen: Effect = async (tx, { server: { id, powerState } }) => {
  if (powerState === running) return await tx.markActive(id, { powerState })
  if (off.has(powerState)) return await tx.markStopped(id, { powerState })
  await tx.leaveAsItIs(id)
}

/** To be called where nothing of the server is left on any host. */
export const releasePorts: Effect = async (tx, { server }) => {
  if (server.hasPorts) await tx.releasePorts(server.id)
}
