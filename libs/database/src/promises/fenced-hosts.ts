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
  fencedAt: Date
}

const readSteps = `
  SELECT o.id AS "operationId", s.id AS "stepId", o.kind, o.server_id AS "serverId", h.id AS "hostId", h.name AS "hostName",
    h.updated_at AS "fencedAt"
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN hosts h ON h.id = s.host_id
  WHERE s.state = 'open' AND o.state IN ('running', 'unwinding')
    AND h.forced_down AND h.updated_at < clock_timestamp() - $2 * interval '1 millisecond'
  ORDER BY s.opened_at LIMIT $1`

/** Promise 3: nothing waits for a host that an operator has declared dead: what it was told it will not do. */
export const nothingWaitsForAFencedHost: RecordCheck = async (db, { limit, graceMs }) => {
  const rows = await db.query<StepRow>(readSteps, [limit, graceMs])
  return rows.map(({ operationId, stepId, kind, serverId, hostId, hostName, fencedAt }) =>
    finding('step.of-fenced-host', {
      about: { operationId, stepId, serverId, hostId, hostName },
      message: `Operation ${kind} of server ${serverId} waits for host ${hostName}, which an operator has declared dead.`,
      since: fencedAt,
    }),
  )
}
