import type { Failure, PowerStateCode } from '@nubo/contract'
import type { OperationId, ServerId, StepId } from '@nubo/kernel'
import type { Located, NewOperation, NewStep, OperationTransaction, ServerRecord, Wanted } from '@nubo/workflow'
import type { Transaction } from '../connection.js'
import { releaseRoom } from '../hosts/room.js'
import { locatedOf, operationColumns, serverColumns, serverOf, stepColumns, type Row } from './rows.js'

// The statements of operations. Rows are locked in one order: operation, server, host by id, quota.

const lockStep = `
  SELECT ${operationColumns}, ${stepColumns}, ${serverColumns}
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id
  WHERE s.id = $1 FOR UPDATE OF o, v`

const lockLiveOperation = `
  SELECT id FROM operations WHERE server_id = $1 AND state IN ('running', 'unwinding') FOR UPDATE`

const lockServer = `SELECT ${serverColumns} FROM servers v WHERE v.id = $1 FOR UPDATE`

const readLive = `
  SELECT ${operationColumns}, ${stepColumns}, ${serverColumns}
  FROM operations o JOIN operation_steps s ON s.operation_id = o.id AND s.state = 'open' JOIN servers v ON v.id = o.server_id
  WHERE o.id = $1`

const insertOperation = `
  INSERT INTO operations (id, kind, server_id, project_id, user_id, request_id, state, input, deadline_at)
  VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, clock_timestamp() + $8 * interval '1 millisecond')`

/** Stamps the step with the server's fence, which it raises by $8, and sets the server's task_state where $9 says one. */
const openStep = `
  WITH server AS (
    UPDATE servers SET fence = fence + $8, task_state = COALESCE($9, task_state), updated_at = clock_timestamp()
    WHERE id = $3 RETURNING fence)
  INSERT INTO operation_steps (id, operation_id, name, direction, queue, host_id, fence, attempt, opened_at, next_hint_at)
  SELECT $1, $2, $4, $5, $6, $7, server.fence, $10, clock_timestamp(), clock_timestamp() + $11 * interval '1 millisecond' FROM server`

const closeStep = `
  UPDATE operation_steps SET state = $2, result = $3, next_hint_at = NULL, finished_at = clock_timestamp()
  WHERE id = $1 AND state = 'open'`

const endOperation = `
  UPDATE operations SET state = $2, message = COALESCE($3, message), deadline_at = NULL,
    input = input - 'adminPassword', updated_at = clock_timestamp(), finished_at = clock_timestamp()
  WHERE id = $1`

/** Back on the shelf: takes nothing from a server that was marked deleted already, so it is freed once. */
const releaseQuota = `
  UPDATE project_quotas q SET used_instances = used_instances - 1, used_cores = used_cores - v.vcpus, used_ram_mib = used_ram_mib - v.memory_mib
  FROM servers v WHERE v.id = $1 AND v.deleted_at IS NULL AND q.project_id = v.project_id`

const markDeleted = `
  UPDATE servers SET vm_state = 'deleted', task_state = NULL, power_state = 0, fault = NULL,
    deleted_at = clock_timestamp(), terminated_at = clock_timestamp(), updated_at = clock_timestamp()
  WHERE id = $1 AND deleted_at IS NULL`

const markPowered = `
  UPDATE servers SET vm_state = $2, task_state = NULL, power_state = $3, fault = NULL,
    launched_at = COALESCE(launched_at, clock_timestamp()), updated_at = clock_timestamp()
  WHERE id = $1 AND wanted <> 'deleted'`

const markError = `
  UPDATE servers SET vm_state = 'error', task_state = NULL, updated_at = clock_timestamp(),
    fault = jsonb_build_object('code', 500, 'message', $2::text,
      'created', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  WHERE id = $1 AND wanted <> 'deleted'`

export class PgOperationTransaction implements OperationTransaction {
  constructor(readonly tx: Transaction) {}

  async lockStep(stepId: StepId): Promise<Located | undefined> {
    const [row] = await this.tx.query<Row>(lockStep, [stepId])
    return row && locatedOf(row)
  }

  async lockServer(serverId: ServerId): Promise<{ server: ServerRecord; live: Located | undefined } | undefined> {
    const [operation] = await this.tx.query<{ id: OperationId }>(lockLiveOperation, [serverId])
    const [row] = await this.tx.query<Row>(lockServer, [serverId])
    if (!row) return undefined
    const [live] = operation ? await this.tx.query<Row>(readLive, [operation.id]) : []
    return { server: serverOf(row), live: live && locatedOf(live) }
  }

  async insertOperation(o: NewOperation): Promise<void> {
    await this.tx.execute(insertOperation, [o.id, o.kind, o.serverId, o.projectId, o.userId, o.requestId, o.input, o.deadlineMs])
  }

  async endOperation(id: OperationId, state: 'done' | 'failed' | 'cancelled', message?: string): Promise<void> {
    await this.tx.execute(endOperation, [id, state, message ?? null])
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

  async openStep(step: NewStep): Promise<void> {
    const raise = step.raiseFence ? 1 : 0
    await this.tx.execute(openStep, [
      step.id,
      step.operationId,
      step.serverId,
      step.name,
      step.direction,
      step.queue,
      step.hostId,
      raise,
      step.taskState ?? null,
      step.attempt,
      step.hintAfterMs,
    ])
  }

  async closeStep(id: StepId, state: 'done' | 'failed' | 'revoked', result: Record<string, unknown>): Promise<void> {
    await this.tx.execute(closeStep, [id, state, result])
  }

  async setTaskState(serverId: ServerId, taskState: string | null): Promise<void> {
    await this.tx.execute(`UPDATE servers SET task_state = $2, updated_at = clock_timestamp() WHERE id = $1`, [
      serverId,
      taskState,
    ])
  }

  async setWanted(serverId: ServerId, wanted: Wanted): Promise<void> {
    await this.tx.execute(`UPDATE servers SET wanted = $2, updated_at = clock_timestamp() WHERE id = $1`, [serverId, wanted])
  }

  async markActive(serverId: ServerId, powerState: PowerStateCode): Promise<void> {
    await this.tx.execute(markPowered, [serverId, 'active', powerState])
  }

  async markStopped(serverId: ServerId, powerState: PowerStateCode): Promise<void> {
    await this.tx.execute(markPowered, [serverId, 'stopped', powerState])
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

  async releaseQuota(serverId: ServerId): Promise<void> {
    await this.tx.execute(releaseQuota, [serverId])
  }
}
