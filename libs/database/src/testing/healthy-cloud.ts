import type { SurveyedServer } from '@nubo/contract'
import { newId, systemRandom, type HostId, type OperationId, type ProjectId, type ServerId, type StepId } from '@nubo/kernel'
import type { Database } from '../connection.js'
import { claim, releaseRoom } from '../hosts/room.js'
import { PgOperationTransaction } from '../operations/transaction.js'
import type { HostSurvey } from '../promises/index.js'
import { addHost, insertServer } from './host-rows.js'

export const projectId = 'project-1' as ProjectId
const size = { vcpus: 1, memoryMiB: 512, diskGiB: 10 }

/** Rows of a cloud in which every promise holds, as the services leave them: for tests that then break one. */
export class HealthyCloud {
  constructor(private readonly database: Database) {}

  async clear(): Promise<void> {
    await this.database.execute(
      'TRUNCATE hosts, servers, allocations, abandoned_guests, operations, operation_steps, placement_decisions, project_quotas, idempotency_keys CASCADE',
    )
    await this.database.execute('UPDATE deadline_watch SET watched_at = clock_timestamp()')
  }

  /** 16 vCPUs, 8 GiB of memory, 100 GiB of disk. */
  async addHost(name: string): Promise<HostId> {
    return await addHost(this.database, name, { totalVcpus: 16, overheadMiB: 64 })
  }

  /** An ACTIVE server on a host, with its room and its quota. */
  async addServer(hostId: HostId): Promise<ServerId> {
    return await this.database.transaction(async (tx) => {
      const serverId = await insertServer(tx, projectId, { ...size, name: 'web' })
      await tx.execute(
        `INSERT INTO project_quotas AS q (project_id, used_instances, used_cores, used_ram_mib) VALUES ($1, 1, $2, $3)
         ON CONFLICT (project_id) DO UPDATE SET used_instances = q.used_instances + 1, used_cores = q.used_cores + $2, used_ram_mib = q.used_ram_mib + $3`,
        [projectId, size.vcpus, size.memoryMiB],
      )
      const [host] = await tx.query<{ epoch: number }>('SELECT fencing_epoch AS epoch FROM hosts WHERE id = $1', [hostId])
      const operationId = newId<OperationId>(systemRandom)
      await claim(tx, { serverId, operationId, hostId, fencingEpoch: host!.epoch, decision: {} })
      return serverId
    })
  }

  /** Something that is being done to a server on its host. */
  async addOperation(serverId: ServerId, { kind = 'server.stop', taskState = 'powering-off' } = {}) {
    const operationId = newId<OperationId>(systemRandom)
    const stepId = newId<StepId>(systemRandom)
    await this.database.transaction(async (tx) => {
      const operations = new PgOperationTransaction(tx)
      const [server] = await tx.query<{ hostId: HostId }>('SELECT host_id AS "hostId" FROM servers WHERE id = $1', [serverId])
      const requester = { projectId, userId: null, requestId: 'req-1' as never }
      const operation = { id: operationId, kind, serverId, ...requester, input: {}, deadlineMs: 60_000 }
      await operations.beginOperation(operation, {
        ...{ id: stepId, operationId, serverId, name: 'step', direction: 'do', queue: `compute-${server!.hostId}` },
        ...{ hostId: server!.hostId, raiseFence: true, taskState, attempt: 1, hintAfterMs: 2_000 },
      })
    })
    return { operationId, stepId }
  }

  /** A server that is gone for its tenant, and of which its host has not confirmed it. */
  async leaveTombstone(serverId: ServerId) {
    await this.change('servers', serverId, `wanted = 'deleted'`)
    const operation = await this.addOperation(serverId, { kind: 'server.delete', taskState: 'deleting' })
    await this.database.transaction(async (tx) => {
      const operations = new PgOperationTransaction(tx)
      await operations.markDeleted(serverId)
      await operations.liftDeadline(operation.operationId)
    })
    return operation
  }

  /** To another host, in the next incarnation. */
  async moveTo(serverId: ServerId, hostId: HostId): Promise<void> {
    await this.database.transaction(async (tx) => {
      await releaseRoom(tx, serverId, 1)
      const [host] = await tx.query<{ epoch: number }>('SELECT fencing_epoch AS epoch FROM hosts WHERE id = $1', [hostId])
      const operationId = newId<OperationId>(systemRandom)
      await claim(tx, { serverId, operationId, hostId, fencingEpoch: host!.epoch, decision: {} })
    })
  }

  /** A deletion that its host has confirmed. */
  async forget(serverId: ServerId): Promise<void> {
    await this.database.transaction(async (tx) => {
      const operations = new PgOperationTransaction(tx)
      await operations.setWanted(serverId, 'deleted')
      await operations.releaseRoom(serverId, 1)
      await operations.markDeleted(serverId)
    })
  }

  /** What an honest host says lies on it: of every allocation a guest that runs, its disks and a journal that agrees. */
  async survey(hostId: HostId): Promise<HostSurvey> {
    const rows = await this.database.query<{ serverId: ServerId; incarnation: number; fence: number; fencingEpoch: number }>(
      `SELECT a.server_id AS "serverId", a.incarnation, v.fence, a.fencing_epoch AS "fencingEpoch"
       FROM allocations a JOIN servers v ON v.id = a.server_id WHERE a.host_id = $1 ORDER BY a.server_id`,
      [hostId],
    )
    const servers = rows.map(({ serverId, incarnation, fence, fencingEpoch }): SurveyedServer => {
      const journal = { fence: Math.max(1, fence), incarnation, ended: true, acknowledged: true, tombstone: 0 }
      return {
        serverId,
        domain: { incarnation, fencingEpoch, powerState: 1 },
        folders: [{ incarnation, bytes: 1 }],
        journal: fence > 0 ? journal : null,
      }
    })
    return { hostId, servers, strays: [] }
  }

  /** Breaks a row behind everybody's back. */
  async change(table: 'servers' | 'hosts' | 'operations' | 'operation_steps', id: string, assignments: string): Promise<void> {
    await this.database.execute(`UPDATE ${table} SET ${assignments} WHERE id = $1`, [id])
  }
}
