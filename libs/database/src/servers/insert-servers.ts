import type { FlavorId, ImageId, OperationId, ProjectId, RequestId, ServerId, StepId, UserId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import type { ServerQuota } from './quota-use.js'

/** A server as it is asked for. Those of one request differ in their ids, names and launch index alone. */
export interface NewServer {
  id: ServerId
  operationId: OperationId
  stepId: StepId
  name: string
  hostname: string
  launchIndex: number
}

export interface NewServersRequest {
  servers: readonly NewServer[]
  projectId: ProjectId
  userId: UserId
  requestId: RequestId
  reservationId: string
  description: string | null
  imageId: ImageId
  flavor: {
    id: FlavorId
    name: string
    vcpus: number
    memoryMiB: number
    diskGiB: number
    ephemeralGiB: number
    swapMiB: number
    extraSpecs: Record<string, string>
  }
  keyName: string | null
  publicKey: string | null
  metadata: Record<string, string>
  tags: readonly string[]
  userData: string | null
  files: readonly { path: string; contents: string }[]
  configDrive: boolean
  requestedZone: string | null
  accessIpv4: string
  accessIpv6: string
  diskConfig: 'AUTO' | 'MANUAL'
  adminPassword: string
  operation: {
    kind: string
    deadlineMs: number
    firstStep: string
    queue: string
    taskState: string | undefined
    hintAfterMs: number
  }
}

/**
 * The servers, their operations and the operations' first steps, within the project's quota: all there or none. It is one
 * statement, so that the project's row, which all its requests contend for, is held for no longer than its commit takes.
 *
 * The check of the quota and its use are one conditional write, so that racing requests cannot take more than the limits:
 * $39-$41 are the defaults for what the project has no limit of its own for, and -1 is no limit.
 */
const insert = `
  WITH wanted AS (
    SELECT n AS instances, n * $14::int AS cores, n * $15::int AS ram_mib FROM cardinality($1::uuid[]) AS n),
  quota AS (
    INSERT INTO project_quotas AS q (project_id, used_instances, used_cores, used_ram_mib)
    SELECT $7, instances, cores, ram_mib FROM wanted
    WHERE EXISTS (SELECT FROM project_quotas WHERE project_id = $7)
       OR (($39::int < 0 OR instances <= $39) AND ($40::int < 0 OR cores <= $40) AND ($41::int < 0 OR ram_mib <= $41))
    ON CONFLICT (project_id) DO UPDATE SET used_instances = q.used_instances + excluded.used_instances,
      used_cores = q.used_cores + excluded.used_cores, used_ram_mib = q.used_ram_mib + excluded.used_ram_mib
    WHERE (COALESCE((q.limits->>'instances')::int, $39) < 0
        OR q.used_instances + excluded.used_instances <= COALESCE((q.limits->>'instances')::int, $39))
      AND (COALESCE((q.limits->>'cores')::int, $40) < 0
        OR q.used_cores + excluded.used_cores <= COALESCE((q.limits->>'cores')::int, $40))
      AND (COALESCE((q.limits->>'ramMiB')::int, $41) < 0
        OR q.used_ram_mib + excluded.used_ram_mib <= COALESCE((q.limits->>'ramMiB')::int, $41))
    RETURNING q.project_id),
  new AS (
    SELECT new.* FROM quota, unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[])
      AS new(id, operation_id, step_id, name, hostname, launch_index)),
  server AS (
    INSERT INTO servers (id, name, hostname, launch_index, project_id, user_id, reservation_id, description, image_id, flavor_id, flavor_name,
      vcpus, memory_mib, disk_gib, ephemeral_gib, swap_mib, extra_specs, key_name, public_key, metadata, tags, user_data, files, config_drive,
      requested_zone, access_ipv4, access_ipv6, disk_config, wanted, vm_state, task_state, created_at, updated_at)
    SELECT id, name, hostname, launch_index, $7, $8, $9, $10, $11::uuid, $12, $13, $14::int, $15::int, $16::int, $17::int, $18::int, $19::jsonb, $20, $21,
      $22::jsonb, $23::text[], $24, $25::jsonb, $26::boolean, $27, $28, $29, $30, 'running', 'building', $31, clock_timestamp(), clock_timestamp()
    FROM new),
  operation AS (
    INSERT INTO operations (id, kind, server_id, project_id, user_id, request_id, state, input, deadline_at)
    SELECT operation_id, $32, id, $7, $8, $33, 'running', $34::jsonb, clock_timestamp() + $35::int * interval '1 millisecond' FROM new)
  INSERT INTO operation_steps (id, operation_id, name, queue, opened_at, next_hint_at)
  SELECT step_id, operation_id, $36, $37, clock_timestamp(), clock_timestamp() + $38::int * interval '1 millisecond' FROM new`

/** False if the project's quota does not allow them: nothing is written then. */
export async function insertServers(
  db: Queryable,
  request: NewServersRequest,
  defaults: Readonly<ServerQuota>,
): Promise<boolean> {
  const { servers, flavor, operation } = request
  const inserted = await db.execute(insert, [
    servers.map((server) => server.id),
    servers.map((server) => server.operationId),
    servers.map((server) => server.stepId),
    servers.map((server) => server.name),
    servers.map((server) => server.hostname),
    servers.map((server) => server.launchIndex),
    request.projectId,
    request.userId,
    request.reservationId,
    request.description,
    request.imageId,
    flavor.id,
    flavor.name,
    flavor.vcpus,
    flavor.memoryMiB,
    flavor.diskGiB,
    flavor.ephemeralGiB,
    flavor.swapMiB,
    flavor.extraSpecs,
    request.keyName,
    request.publicKey,
    request.metadata,
    request.tags,
    request.userData,
    JSON.stringify(request.files),
    request.configDrive,
    request.requestedZone,
    request.accessIpv4,
    request.accessIpv6,
    request.diskConfig,
    operation.taskState ?? null,
    operation.kind,
    request.requestId,
    { adminPassword: request.adminPassword },
    operation.deadlineMs,
    operation.firstStep,
    operation.queue,
    operation.hintAfterMs,
    defaults.instances,
    defaults.cores,
    defaults.ramMiB,
  ])
  return inserted > 0
}
