import type { Located, OperationRecord, ServerRecord, StepRecord } from '@nubo/workflow'

/** The columns of a server that operations see, of the table alias `v`. */
export const serverColumns = `v.id AS v_id, v.project_id AS v_project_id, v.user_id AS v_user_id, v.name AS v_name, v.hostname AS v_hostname,
  v.vcpus AS v_vcpus, v.memory_mib AS v_memory_mib, v.disk_gib AS v_disk_gib, v.wanted AS v_wanted, v.vm_state AS v_vm_state,
  v.task_state AS v_task_state, v.power_state AS v_power_state, v.host_id AS v_host_id, v.incarnation AS v_incarnation, v.fence AS v_fence,
  EXISTS (SELECT FROM ports WHERE server_id = v.id) AS v_has_ports`

/** Of the alias `o`. */
export const operationColumns = `o.id AS o_id, o.kind AS o_kind, o.server_id AS o_server_id, o.project_id AS o_project_id, o.user_id AS o_user_id,
  o.request_id AS o_request_id, o.state AS o_state, o.input AS o_input, o.message AS o_message, o.failure_scope AS o_failure_scope`

/** Of the alias `s`. */
export const stepColumns = `s.id AS s_id, s.name AS s_name, s.direction AS s_direction, s.state AS s_state, s.host_id AS s_host_id,
  s.fence AS s_fence, s.attempt AS s_attempt, s.queue AS s_queue`

export type Row = Record<string, unknown>

export function serverOf(row: Row): ServerRecord {
  return {
    id: row.v_id,
    projectId: row.v_project_id,
    userId: row.v_user_id,
    name: row.v_name,
    hostname: row.v_hostname,
    vcpus: row.v_vcpus,
    memoryMiB: row.v_memory_mib,
    diskGiB: row.v_disk_gib,
    wanted: row.v_wanted,
    vmState: row.v_vm_state,
    taskState: row.v_task_state,
    powerState: row.v_power_state,
    hostId: row.v_host_id,
    incarnation: row.v_incarnation,
    fence: row.v_fence,
    hasPorts: row.v_has_ports,
  } as ServerRecord
}

export function operationOf(row: Row): OperationRecord {
  return {
    id: row.o_id,
    kind: row.o_kind,
    serverId: row.o_server_id,
    projectId: row.o_project_id,
    userId: row.o_user_id,
    requestId: row.o_request_id,
    state: row.o_state,
    input: row.o_input,
    message: row.o_message,
    failureScope: row.o_failure_scope,
  } as OperationRecord
}

export function stepOf(row: Row): StepRecord {
  return {
    id: row.s_id,
    name: row.s_name,
    direction: row.s_direction,
    state: row.s_state,
    hostId: row.s_host_id,
    fence: row.s_fence,
    attempt: row.s_attempt,
  } as StepRecord
}

export function locatedOf(row: Row): Located {
  return { operation: operationOf(row), step: stepOf(row), server: serverOf(row) }
}
