import type { Failure, PowerStateCode } from '@nubo/contract'
import { assert, type OperationId, type PortId, type ServerId, type StepId } from '@nubo/kernel'
import type {
  ClosedStep,
  Located,
  NewOperation,
  NewStep,
  OperationEnd,
  OperationTransaction,
  SeenPower,
  SeenWithResult,
  ServerRecord,
  Wanted,
} from '@nubo/workflow'
import type { Transaction } from '../connection.js'
import { recordSeen, seenWithResult } from '../hosts/observations.js'
import { releaseRoom } from '../hosts/room.js'
import { giveUpServerPorts, releaseServerPort, releaseServerPorts } from '../networks/server-ports.js'
import { ConcurrentChange } from '../repeat.js'
import { clockIsWatched } from './deadlines.js'
import { locatedOf, operationColumns, serverColumns, serverOf, stepColumns, type Row } from './rows.js'

// The statements of operations. Rows are locked in one order: operation, server, step, host by id, quota.

/** The step too: a row that is joined without its lock is read as it was before the wait for the others. */
const lockStep = `
  SELECT ${operationColumns}, ${stepColumns}, ${serverColumns}
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id
  WHERE s.id = $1 FOR UPDATE OF o, v, s`

const lockLiveOperation = `
  SELECT id FROM operations WHERE server_id = $1 AND state IN ('running', 'unwinding') FOR UPDATE`

const lockServer = `SELECT ${serverColumns} FROM servers v WHERE v.id = $1 FOR UPDATE`

const readLive = `
  SELECT ${operationColumns}, ${stepColumns}, ${serverColumns}
  FROM operations o JOIN operation_steps s ON s.operation_id = o.id AND s.state = 'open' JOIN servers v ON v.id = o.server_id
  WHERE o.server_id = $1 AND o.state IN ('running', 'unwinding')`

/**
 * Stamps the step with the server's fence, which it raises by $8, and sets the server's task_state where $9 says one, and
 * what is wanted of it where $12 does. `condition` is on the server's row.
 */
const openingStep = (condition: string) => `
  server AS (
    UPDATE servers SET fence = fence + $8, task_state = COALESCE($9, task_state), wanted = COALESCE($12, wanted), updated_at = clock_timestamp()
    WHERE id = $3 ${condition} RETURNING fence)
  INSERT INTO operation_steps (id, operation_id, name, direction, queue, host_id, fence, attempt, opened_at, next_hint_at)
  SELECT $1, $2, $4, $5, $6, $7, server.fence, $10, clock_timestamp(), clock_timestamp() + $11 * interval '1 millisecond' FROM server`

const beginOperation = `
  WITH operation AS (
    INSERT INTO operations (id, kind, server_id, project_id, user_id, request_id, state, input, deadline_at)
    VALUES ($2, $13, $3, $14, $15, $16, 'running', $17, clock_timestamp() + $18 * interval '1 millisecond')),
  ${openingStep('')}`

const closingStep = (first: number) => `
  closed AS (
    UPDATE operation_steps SET state = $${first + 1}, result = $${first + 2}, next_hint_at = NULL, finished_at = clock_timestamp()
    WHERE id = $${first} AND state = 'open' RETURNING operation_id)`

const advanceStep = `WITH ${closingStep(13)}, ${openingStep('AND EXISTS (SELECT FROM closed)')}`

const finishOperation = `
  WITH ${closingStep(1)}
  UPDATE operations o SET state = $4, message = COALESCE($5, message), deadline_at = NULL,
    input = input - 'adminPassword', updated_at = clock_timestamp(), finished_at = clock_timestamp()
  FROM servers v WHERE o.id = (SELECT operation_id FROM closed) AND v.id = o.server_id
  RETURNING o.kind, v.vm_state, v.task_state, v.power_state`

/** Its quota falls only with the row that was not marked yet, so it is given back once. */
const markDeleted = `
  WITH gone AS (
    UPDATE servers SET vm_state = 'deleted', task_state = NULL, power_state = 0, fault = NULL,
      deleted_at = clock_timestamp(), terminated_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE id = $1 AND deleted_at IS NULL RETURNING id, project_id, vcpus, memory_mib),
  password AS (DELETE FROM guest_passwords w USING gone WHERE w.server_id = gone.id)
  UPDATE project_quotas q SET used_instances = used_instances - 1, used_cores = used_cores - gone.vcpus,
    used_ram_mib = used_ram_mib - gone.memory_mib
  FROM gone WHERE q.project_id = gone.project_id`

/**
 * What runs is wanted to run, also where it was to be stopped and could not be. What is off may be so because it could not be
 * started: it is tried again with its host, unless somebody stopped it.
 */
const markPowered = (seen: string) => `
  UPDATE servers v SET vm_state = $2, task_state = NULL, fault = NULL, ${seen},
    wanted = CASE $2 WHEN 'active' THEN 'running' ELSE v.wanted END,
    launched_at = COALESCE(launched_at, clock_timestamp()), updated_at = clock_timestamp()
  WHERE id = $1 AND wanted <> 'deleted'`
const markAsKnown = markPowered('power_state = $3')
const markAsReported = markPowered(seenWithResult(3))

/** The request came to nothing. What is wanted is as after one that did something. */
const leaveAsItIs = `
  UPDATE servers SET task_state = NULL, updated_at = clock_timestamp(),
    wanted = CASE vm_state WHEN 'active' THEN 'running' ELSE wanted END
  WHERE id = $1 AND wanted <> 'deleted'`

const isOverdue = `
  SELECT FROM operations WHERE id = $1 AND deadline_at < clock_timestamp() AND ${clockIsWatched(2)}`

const markError = `
  UPDATE servers SET vm_state = 'error', task_state = NULL, updated_at = clock_timestamp(),
    fault = jsonb_build_object('code', 500, 'message', $2::text,
      'created', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  WHERE id = $1 AND wanted <> 'deleted'`

export interface EndedOperation {
  kind: string
  outcome: OperationEnd['state']
  /** As it left the server. */
  server: Pick<ServerRecord, 'vmState' | 'taskState' | 'powerState'>
}

interface EndedRow {
  kind: string
  vm_state: string
  task_state: string | null
  power_state: PowerStateCode
}

export class PgOperationTransaction implements OperationTransaction {
  /** What has ended here, once this is committed. */
  readonly ended: EndedOperation[] = []

  constructor(readonly tx: Transaction) {}

  async lockStep(stepId: StepId): Promise<Located | undefined> {
    const [row] = await this.tx.query<Row>(lockStep, [stepId])
    return row && locatedOf(row)
  }

  async lockServer(serverId: ServerId): Promise<{ server: ServerRecord; live: Located | undefined } | undefined> {
    const [operation] = await this.tx.query<{ id: OperationId }>(lockLiveOperation, [serverId])
    const [row] = await this.tx.query<Row>(lockServer, [serverId])
    if (!row) return undefined
    const [live] = await this.tx.query<Row>(readLive, [serverId])
    // Between the two locks another operation may have begun, or this one ended: what is live must be what is locked.
    if (operation?.id !== live?.o_id) throw new ConcurrentChange(`the live operation of server ${serverId}`)
    return { server: serverOf(row), live: live && locatedOf(live) }
  }

  /** Whether the operation's deadline has passed, in time in which somebody watched: `unwatchedMs` as `findOverdue` has it. */
  async isOverdue(id: OperationId, unwatchedMs: number): Promise<boolean> {
    return (await this.tx.execute(isOverdue, [id, unwatchedMs])) > 0
  }

  async beginOperation(o: NewOperation, first: NewStep): Promise<void> {
    const values = [o.kind, o.projectId, o.userId, o.requestId, o.input, o.deadlineMs]
    await this.tx.execute(beginOperation, [...openingValues(first), ...values])
  }

  async beginUnwinding(id: OperationId, failure: Failure): Promise<void> {
    await this.tx.execute(
      `UPDATE operations SET state = 'unwinding', message = $2, failure_scope = $3, updated_at = clock_timestamp() WHERE id = $1`,
      [id, failure.message, failure.scope],
    )
  }

  async resumeOperation(id: OperationId): Promise<void> {
    await this.tx.execute(`UPDATE operations SET state = 'running', updated_at = clock_timestamp() WHERE id = $1`, [id])
  }

  async liftDeadline(id: OperationId): Promise<void> {
    await this.tx.execute(`UPDATE operations SET deadline_at = NULL WHERE id = $1`, [id])
  }

  async advanceStep(closed: ClosedStep, next: NewStep): Promise<void> {
    const advanced = await this.tx.execute(advanceStep, [...openingValues(next), closed.id, closed.state, closed.result])
    assert(advanced === 1, `step ${closed.id} was open`)
  }

  async finishOperation(closed: ClosedStep, { state, message }: OperationEnd): Promise<void> {
    const values = [closed.id, closed.state, closed.result, state, message ?? null]
    const [ended] = await this.tx.query<EndedRow>(finishOperation, values)
    assert(ended, `step ${closed.id} was open`)
    const { kind, vm_state: vmState, task_state: taskState, power_state: powerState } = ended
    this.ended.push({ kind, outcome: state, server: { vmState, taskState, powerState } })
  }

  async setWanted(serverId: ServerId, wanted: Wanted): Promise<void> {
    await this.tx.execute(`UPDATE servers SET wanted = $2, updated_at = clock_timestamp() WHERE id = $1`, [serverId, wanted])
  }

  async markActive(serverId: ServerId, seen: SeenPower): Promise<void> {
    await this.markPowered(serverId, 'active', seen)
  }

  async markStopped(serverId: ServerId, seen: SeenPower): Promise<void> {
    await this.markPowered(serverId, 'stopped', seen)
  }

  async recordSeen(serverId: ServerId, { powerState, report }: SeenWithResult): Promise<PowerStateCode> {
    return await recordSeen(this.tx, serverId, { powerState, ...report })
  }

  async leaveAsItIs(serverId: ServerId): Promise<void> {
    await this.tx.execute(leaveAsItIs, [serverId])
  }

  async markError(serverId: ServerId, message: string): Promise<void> {
    await this.tx.execute(markError, [serverId, message])
  }

  async markDeleted(serverId: ServerId): Promise<void> {
    await this.tx.execute(markDeleted, [serverId])
  }

  async releaseRoom(serverId: ServerId, incarnation: number): Promise<void> {
    await releaseRoom(this.tx, serverId, incarnation)
  }

  async releasePorts(serverId: ServerId): Promise<void> {
    await releaseServerPorts(this.tx, serverId)
  }

  async giveUpPorts(serverId: ServerId): Promise<void> {
    await giveUpServerPorts(this.tx, serverId)
  }

  async releasePort(serverId: ServerId, portId: PortId): Promise<void> {
    await releaseServerPort(this.tx, serverId, portId)
  }

  private async markPowered(serverId: ServerId, vmState: string, { powerState, report }: SeenPower): Promise<void> {
    const values = [serverId, vmState, powerState]
    if (report) await this.tx.execute(markAsReported, [...values, report.sessionId, report.sequence])
    else await this.tx.execute(markAsKnown, values)
  }
}

/** $1 to $12 of a statement that opens a step. */
function openingValues(step: NewStep): unknown[] {
  return [
    step.id,
    step.operationId,
    step.serverId,
    step.name,
    step.direction,
    step.queue,
    step.hostId,
    step.raiseFence ? 1 : 0,
    step.taskState ?? null,
    step.attempt,
    step.hintAfterMs,
    step.wanted ?? null,
  ]
}
