import type { HostId, OperationId, PortId, ProjectId, RouterId, ServerId, StepId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import type { ServerQuota } from '../servers/quota-use.js'
import type { RoomFigures } from './room-is-counted.js'
import { isAdrift } from './room-is-held-once.js'

// Repairs of records. Each is written against the very state that was found, and does nothing where it has changed since:
// then whoever changed it knew better. All return whether they did something.

const recount = `
  UPDATE hosts h SET used_vcpus = held.vcpus, used_memory_mib = held.memory_mib, used_disk_gib = held.disk_gib, server_count = held.servers
  FROM (SELECT COALESCE(sum(vcpus), 0) AS vcpus, COALESCE(sum(memory_mib), 0) AS memory_mib, COALESCE(sum(disk_gib), 0) AS disk_gib,
          count(*) AS servers FROM allocations WHERE host_id = $1) held
  WHERE h.id = $1 AND (h.used_vcpus - held.vcpus, h.used_memory_mib - held.memory_mib, h.used_disk_gib - held.disk_gib, h.server_count - held.servers)
    = ($2::int, $3::int, $4::int, $5::int)`

/**
 * Sets a host's counters to the sum of its allocations where they are off by what was found; room that was taken and freed
 * since is no matter. Whoever takes or frees room changes the host's row in the same statement, so under its lock the two
 * belong together.
 */
export async function recountRoom(tx: Transaction, hostId: HostId, used: RoomFigures, held: RoomFigures): Promise<boolean> {
  await tx.execute('SELECT FROM hosts WHERE id = $1 FOR UPDATE', [hostId])
  const off = (['vcpus', 'memoryMiB', 'diskGiB', 'servers'] as const).map((figure) => used[figure] - held[figure])
  return (await tx.execute(recount, [hostId, ...off])) > 0
}

const recountUse = `
  UPDATE project_quotas q SET used_instances = has.instances, used_cores = has.cores, used_ram_mib = has.ram_mib
  FROM (SELECT count(*) AS instances, COALESCE(sum(vcpus), 0) AS cores, COALESCE(sum(memory_mib), 0) AS ram_mib
        FROM servers WHERE project_id = $1 AND deleted_at IS NULL) has
  WHERE q.project_id = $1
    AND (q.used_instances - has.instances, q.used_cores - has.cores, q.used_ram_mib - has.ram_mib) = ($2::int, $3::int, $4::int)`

/**
 * Sets what a project is counted as using to what its servers have, where it is off by what was found. Servers come and go
 * under the lock of its row.
 */
export async function recountQuota(
  tx: Transaction,
  projectId: ProjectId,
  counted: ServerQuota,
  used: ServerQuota,
): Promise<boolean> {
  await tx.execute('INSERT INTO project_quotas (project_id) VALUES ($1) ON CONFLICT DO NOTHING', [projectId])
  await tx.execute('SELECT FROM project_quotas WHERE project_id = $1 FOR UPDATE', [projectId])
  const off = (['instances', 'cores', 'ramMiB'] as const).map((figure) => counted[figure] - used[figure])
  return (await tx.execute(recountUse, [projectId, ...off])) > 0
}

/** Makes a step due now that nobody would be told of again. */
export async function makeStepDue(db: Queryable, stepId: StepId): Promise<boolean> {
  const update = `UPDATE operation_steps SET next_hint_at = clock_timestamp() WHERE id = $1 AND state = 'open' AND next_hint_at IS NULL`
  return (await db.execute(update, [stepId])) > 0
}

const revoke = `
  UPDATE operation_steps s SET state = 'revoked', next_hint_at = NULL, finished_at = clock_timestamp(), result = $2
  FROM operations o WHERE s.id = $1 AND s.state = 'open' AND o.id = s.operation_id AND o.state NOT IN ('running', 'unwinding')`

/** Closes a step that its operation has left open. */
export async function revokeStep(db: Queryable, stepId: StepId, message: string): Promise<boolean> {
  return (await db.execute(revoke, [stepId, { message }])) > 0
}

const setDeadline = `
  UPDATE operations o SET deadline_at = clock_timestamp() WHERE o.id = $1 AND o.state IN ('running', 'unwinding') AND o.deadline_at IS NULL
    AND NOT EXISTS (SELECT FROM servers v WHERE v.id = o.server_id AND v.deleted_at IS NOT NULL)`

/** Lets an operation that would last for ever end as one whose time is over. */
export async function endByDeadline(db: Queryable, operationId: OperationId): Promise<boolean> {
  return (await db.execute(setDeadline, [operationId])) > 0
}

const abandon = `
  UPDATE operations o SET state = 'failed', message = COALESCE(o.message, $2), deadline_at = NULL, input = o.input - 'adminPassword',
    updated_at = clock_timestamp(), finished_at = clock_timestamp()
  WHERE o.id = $1 AND o.state IN ('running', 'unwinding')
    AND NOT EXISTS (SELECT FROM operation_steps s WHERE s.operation_id = o.id AND s.state = 'open') RETURNING o.server_id AS "serverId"`

/**
 * Ends an operation that has no open step. Returns its server, which the caller then settles in the same transaction;
 * undefined where the operation has a step or has ended.
 */
export async function abandonOperation(
  tx: Transaction,
  operationId: OperationId,
  message: string,
): Promise<ServerId | undefined> {
  await tx.execute('SELECT FROM operations WHERE id = $1 FOR UPDATE', [operationId])
  const [row] = await tx.query<{ serverId: ServerId }>(abandon, [operationId, message])
  return row?.serverId
}

const sentThere = `
  SELECT COALESCE(array_agg(a.incarnation ORDER BY a.incarnation) FILTER (WHERE a.incarnation IS NOT NULL), '{}') AS held
  FROM (SELECT FROM placement_decisions WHERE server_id = $1 AND host_id = $2 LIMIT 1) sent
    LEFT JOIN allocations a ON a.server_id = $1 AND a.host_id = $2 HAVING count(*) > 0`

/**
 * The incarnations of a server for which a host holds room, if our own records say that the server was ever sent there;
 * undefined if they do not.
 */
export async function heldWhereItWasSent(db: Queryable, serverId: ServerId, hostId: HostId): Promise<number[] | undefined> {
  const [row] = await db.query<{ held: number[] }>(sentThere, [serverId, hostId])
  return row?.held
}

const tellAnew = `
  INSERT INTO network_changes (subject, subject_id)
  SELECT 'host', $2::uuid FROM ports p WHERE p.id = $1 AND p.gone_at IS NOT NULL`

/** Has a host told its networks again, which a port that is gone waits for. */
export async function tellNetworksAnew(db: Queryable, portId: PortId, hostId: HostId): Promise<boolean> {
  return (await db.execute(tellAnew, [portId, hostId])) > 0
}

const putBack = `
  UPDATE servers v SET host_id = a.host_id, updated_at = clock_timestamp() FROM allocations a
  WHERE v.id = $1 AND v.incarnation = $2 AND a.server_id = v.id AND a.incarnation = v.incarnation AND ${isAdrift}`

/** Puts a server that is on no host by its record where room is held for it. Its row must be locked. */
export async function putBackOnItsHost(tx: Transaction, serverId: ServerId, incarnation: number): Promise<boolean> {
  return (await tx.execute(putBack, [serverId, incarnation])) > 0
}

const tellOfRouter = `
  INSERT INTO network_changes (subject, subject_id)
  SELECT 'router', r.id FROM routers r WHERE r.id = $1 AND r.left_host_id = $2`

/** Has a host told again that a router has left it. */
export async function tellOfRouterAnew(db: Queryable, routerId: RouterId, hostId: HostId): Promise<boolean> {
  return (await db.execute(tellOfRouter, [routerId, hostId])) > 0
}
