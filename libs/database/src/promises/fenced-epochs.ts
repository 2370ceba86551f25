import type { HostId, OperationId, ServerId, StepId } from '@nubo/kernel'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface StepRow {
  operationId: OperationId
  stepId: StepId
  kind: string
  serverId: ServerId
  hostId: HostId
  hostName: string
  heldInEpoch: number
  epoch: number
  openedAt: Date
}

const readSteps = `
  SELECT o.id AS "operationId", s.id AS "stepId", o.kind, o.server_id AS "serverId", h.id AS "hostId", h.name AS "hostName",
    a.fencing_epoch AS "heldInEpoch", h.fencing_epoch AS epoch, s.opened_at AS "openedAt"
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id JOIN hosts h ON h.id = s.host_id
    JOIN allocations a ON a.server_id = v.id AND a.incarnation = v.incarnation AND a.host_id = h.id
  WHERE s.state = 'open' AND o.state IN ('running', 'unwinding') AND o.kind NOT IN ('server.delete', 'server.clear')
    AND a.fencing_epoch <> h.fencing_epoch
  ORDER BY s.opened_at LIMIT $1`

/** Promise 3: nothing waits for a host that was fenced since: what it was told then it will never do. */
export const nothingWaitsForAFencedHost: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<StepRow>(readSteps, [limit])
  return rows.map(({ operationId, stepId, kind, serverId, hostId, hostName, heldInEpoch, epoch, openedAt }) =>
    finding('operation.fenced-epoch', {
      about: { operationId, stepId, serverId, hostId, hostName },
      message: `Operation ${kind} of server ${serverId} waits for host ${hostName} as it was in epoch ${heldInEpoch}; it was fenced since and is in epoch ${epoch}.`,
      since: openedAt,
    }),
  )
}
