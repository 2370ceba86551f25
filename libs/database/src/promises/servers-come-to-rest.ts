import { reactionToDrift, type PowerState, type TaskState, type VmState } from '@nubo/domain'
import type { HostId, ServerId } from '@nubo/kernel'
import { hasDrifted } from '../hosts/observations.js'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface ServerRow {
  serverId: ServerId
  hostId: HostId | null
  hostName: string | null
  vmState: VmState
  taskState: TaskState | null
  powerState: PowerState
  fence: number
  updatedAt: Date
}

const readAtRest = (condition: string) => `
  SELECT v.id AS "serverId", v.host_id AS "hostId", h.name AS "hostName", v.vm_state AS "vmState", v.task_state AS "taskState",
    v.power_state AS "powerState", v.fence, v.updated_at AS "updatedAt"
  FROM servers v LEFT JOIN hosts h ON h.id = v.host_id
  WHERE v.deleted_at IS NULL AND ${condition}
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY v.updated_at LIMIT $1`

const readInTransition = readAtRest(`(v.task_state IS NOT NULL OR v.vm_state = 'building') AND v.wanted <> 'deleted'`)

/** Promise 3: a server is on its way only while something is being done to it. */
export const noServerIsStuck: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<ServerRow>(readInTransition, [limit])
  return rows.map((row) =>
    finding('server.in-transition', {
      about: aboutOf(row),
      message: `Server ${row.serverId} is ${row.vmState}${row.taskState ? ` and ${row.taskState}` : ''}, and nothing is being done to it.`,
      since: row.updatedAt,
      found: foundOf(row),
    }),
  )
}

const readNotDeleted = readAtRest(`v.wanted = 'deleted'`)

/** Promise 3: a server whose deletion was asked for is being deleted. */
export const everyDeletionIsUnderWay: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<ServerRow>(readNotDeleted, [limit])
  return rows.map((row) =>
    finding('server.not-deleted', {
      about: aboutOf(row),
      message: `The deletion of server ${row.serverId} was asked for, and is not under way.`,
      since: row.updatedAt,
      found: foundOf(row),
    }),
  )
}

/** What a report writes is followed in a transaction of its own, right after: hence the grace, $2. */
const readDrifted = readAtRest(`${hasDrifted} AND v.updated_at < clock_timestamp() - $2 * interval '1 millisecond'`)

/** Promise 3: what a host saw of a guest was taken in. */
export const whatWasSeenIsFollowed: RecordCheck = async (db, { limit, graceMs }) => {
  const rows = await db.query<ServerRow>(readDrifted, [limit, graceMs])
  return rows
    .filter((row) => reactionToDrift(row, row.powerState, false) !== 'none')
    .map((row) =>
      finding('server.drifted', {
        about: aboutOf(row),
        message: `Server ${row.serverId} is ${row.vmState}, and its host saw it with the power state ${row.powerState}.`,
        since: row.updatedAt,
        found: foundOf(row),
      }),
    )
}

function aboutOf({ serverId, hostId, hostName }: ServerRow) {
  return { serverId, ...(hostId && { hostId }), ...(hostName && { hostName }) }
}

/** A repair leaves a server alone on which anything was begun since. */
function foundOf({ vmState, taskState, powerState, fence }: ServerRow) {
  return { vmState, taskState, powerState, fence }
}
