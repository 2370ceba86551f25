import {
  abandonOperation,
  endByDeadline,
  makeStepDue,
  putBackOnItsHost,
  recountQuota,
  recountRoom,
  revokeStep,
  tellNetworksAnew,
  tellOfRouterAnew,
  type Finding,
  type FindingCode,
  type PgOperationStore,
  type PgOperationTransaction,
  type RoomFigures,
} from '@nubo/database'
import { assert, type RequestId } from '@nubo/kernel'
import type { Caster, Located, Opened, OperationEngine, Requester, ServerRecord } from '@nubo/workflow'
import { deleteServer } from '../deletion.js'
import { followDrift } from '../drift.js'
import { beginClearing } from './clear-host.js'

export interface RepairTools {
  store: PgOperationStore
  engine: OperationEngine
  caster: Caster
  newRequestId: () => RequestId
}

/** What came of a finding that was to be mended. */
export interface RepairOutcome {
  mended: boolean
  /** For a person: what was done, or why nothing was. */
  message: string
}

/** What one repair did in its transaction. */
type Deed = { mended: true; message: string; opened?: Opened } | { mended: false; message: string }

type Repair = (tx: PgOperationTransaction, finding: Finding, tools: RepairTools) => Promise<Deed>

const done = (message: string, opened?: Opened): Deed => ({ mended: true, message, opened })
const left = (message: string): Deed => ({ mended: false, message })
const changed = left('It has changed since it was looked at.')
const doneIf = (mended: boolean, message: string): Deed => (mended ? done(message) : changed)

/**
 * By what each finding is mended: a conditional statement against the state that was found, or an operation as any other.
 * What is not here is left to a person.
 */
const repairs: Partial<Record<FindingCode, Repair>> = {
  'room.counters-differ': async ({ tx }, { about, found }) => {
    const { used, held } = found as { used: RoomFigures; held: RoomFigures }
    return doneIf(await recountRoom(tx, about.hostId!, used, held), 'The counters are the sum of the allocations again.')
  },
  'quota.use-differs': async ({ tx }, { about, found }) => {
    const { counted, used } = found as Record<'counted' | 'used', Parameters<typeof recountQuota>[2]>
    return doneIf(await recountQuota(tx, about.projectId!, counted, used), 'The use is the sum over the servers again.')
  },
  'step.never-hinted': async ({ tx }, { about }) => doneIf(await makeStepDue(tx, about.stepId!), 'The step is due now.'),
  'step.of-ended-operation': async ({ tx }, { about }) =>
    doneIf(await revokeStep(tx, about.stepId!, 'Its operation had ended.'), 'The step is closed.'),
  'operation.without-deadline': async ({ tx }, { about }) =>
    doneIf(await endByDeadline(tx, about.operationId!), 'Its deadline is now.'),
  'port.held': async ({ tx }, { about }) =>
    doneIf(await tellNetworksAnew(tx, about.portId!, about.hostId!), 'The host is told its networks anew.'),
  'router.waiting': async ({ tx }, { about }) =>
    doneIf(await tellOfRouterAnew(tx, about.routerId!, about.hostId!), 'The host is told of it anew.'),
  'operation.without-step': abandon,
  'server.host-missing': putBack,
  'server.in-transition': bringToRest,
  'server.not-deleted': deleteAgain,
  'server.drifted': follow,
  'allocation.orphaned': clear,
  'allocation.of-deleted': clear,
  'guest.not-recorded': clear,
  'disk.not-recorded': clear,
}

/** Mends one finding, where that needs no guess. */
export async function repair(finding: Finding, tools: RepairTools): Promise<RepairOutcome> {
  const mend = repairs[finding.code]
  if (!finding.repair.possible || !mend) return left(finding.repair.how)
  const deed = await tools.store.transaction((tx) => mend(tx, finding, tools))
  if (!deed.mended) return deed
  await tools.caster.cast([deed.opened])
  return { mended: true, message: deed.message }
}

async function abandon(tx: PgOperationTransaction, { about }: Finding, tools: RepairTools): Promise<Deed> {
  const message = 'The operation was lost on its way, so what came of it is not known.'
  const serverId = await abandonOperation(tx.tx, about.operationId!, message)
  if (!serverId) return changed
  const { server } = await lock(tx, serverId)
  if (server.vmState === 'deleted') return done('The operation is ended.')
  if (server.wanted === 'deleted') {
    const opened = await deleteServer(tx, tools.engine, server, ourselves(server, tools))
    return done('The deletion is begun again.', opened)
  }
  await tx.markError(server.id, message)
  return done('The operation is ended, and its server is ERROR.')
}

async function putBack(tx: PgOperationTransaction, { about }: Finding): Promise<Deed> {
  const { server, live } = await lock(tx, about.serverId!)
  if (live || server.incarnation !== about.incarnation) return changed
  return (await putBackOnItsHost(tx.tx, server.id, server.incarnation))
    ? done('The server is on the host again that holds room for it.')
    : left('No host holds room for it: look for its guest on the hosts that it was sent to, or delete it and make it again.')
}

async function bringToRest(tx: PgOperationTransaction, finding: Finding): Promise<Deed> {
  const server = await lockAsFound(tx, finding)
  if (!server) return changed
  if (server.vmState !== 'building') {
    await tx.leaveAsItIs(server.id)
    return done(`The server is ${server.vmState} as before.`)
  }
  await tx.markError(
    server.id,
    'The server was never finished: the operation that was to make it is gone. Delete it and make it again.',
  )
  return done('The server is ERROR, and says why.')
}

async function deleteAgain(tx: PgOperationTransaction, finding: Finding, tools: RepairTools): Promise<Deed> {
  const server = await lockAsFound(tx, finding)
  if (server?.wanted !== 'deleted') return changed
  return done('The deletion is begun again.', await deleteServer(tx, tools.engine, server, ourselves(server, tools)))
}

async function follow(tx: PgOperationTransaction, finding: Finding, tools: RepairTools): Promise<Deed> {
  const server = await lockAsFound(tx, finding)
  if (!server || server.powerState !== finding.found['powerState']) return changed
  const why = 'The guest was found in this state when all servers were looked at again.'
  return done('The server follows what was seen.', await followDrift(tx, tools.engine, server, why, ourselves(server, tools)))
}

async function clear(tx: PgOperationTransaction, { about }: Finding, tools: RepairTools): Promise<Deed> {
  const found = await lock(tx, about.serverId!)
  const begun = await beginClearing(tx, tools.engine, found, about.hostId!, ourselves(found.server, tools))
  return 'refused' in begun ? left(begun.refused) : done('The host is told to remove it.', begun.opened)
}

/** The server, if nothing was begun on it since the finding and nothing is under way. */
async function lockAsFound(tx: PgOperationTransaction, { about, found }: Finding): Promise<ServerRecord | undefined> {
  const { server, live } = await lock(tx, about.serverId!)
  const isSame = server.fence === found['fence'] && server.vmState === found['vmState'] && server.taskState === found['taskState']
  return live || !isSame ? undefined : server
}

async function lock(
  tx: PgOperationTransaction,
  serverId: ServerRecord['id'],
): Promise<{ server: ServerRecord; live: Located | undefined }> {
  const found = await tx.lockServer(serverId)
  assert(found, `server ${serverId} has a row for ever`)
  return found
}

function ourselves(server: ServerRecord, { newRequestId }: RepairTools): Requester {
  return { projectId: server.projectId, userId: null, requestId: newRequestId() }
}
