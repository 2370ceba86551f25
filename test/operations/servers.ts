import { placementQueue } from '@nubo/contract'
import {
  createPorts,
  findServer,
  insertServers,
  PgOperationStore,
  portOfServer,
  recordAction,
  type Database,
  type NewServersRequest,
  type ServerRow,
  type Transaction,
} from '@nubo/database'
import { defaultLimits } from '@nubo/domain'
import { waitFor } from '@nubo/deploy'
import {
  assert,
  newId,
  systemRandom,
  type FlavorId,
  type ImageId,
  type NetworkId,
  type OperationId,
  type PortId,
  type ProjectId,
  type RequestId,
  type ServerId,
  type StepId,
  type UserId,
} from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { OperationEngine, operations } from '@nubo/workflow'

export const projectId = 'project-1' as ProjectId
const userId = 'user-1' as UserId
const generous = { ...defaultLimits, instances: -1, cores: -1, ramMiB: -1 }

/** Servers as the API makes them, without the API: for tests of what comes after it. */
export class TestServers {
  private readonly engine = new OperationEngine(operations, systemRandom)
  private readonly store: PgOperationStore
  private imageId: ImageId | undefined
  /** On which each new server has an interface; undefined: they have none. */
  network: NetworkId | undefined

  constructor(
    private readonly database: Database,
    private readonly queue: Queue,
  ) {
    this.store = new PgOperationStore(database)
  }

  async create(count: number, { memoryMiB = 64, hint = true } = {}): Promise<ServerId[]> {
    const servers = Array.from({ length: count }, (_, launchIndex) => ({
      id: newId<ServerId>(systemRandom),
      operationId: newId<OperationId>(systemRandom),
      stepId: newId<StepId>(systemRandom),
      name: `server-${launchIndex}`,
      hostname: `server-${launchIndex}`,
      launchIndex,
    }))
    const requestId = newRequestId()
    const imageId = await this.image()
    const request: NewServersRequest = {
      servers,
      projectId,
      userId,
      requestId,
      reservationId: 'r-1',
      description: null,
      imageId,
      flavor: { id: 'f' as FlavorId, name: 'f', vcpus: 1, memoryMiB, diskGiB: 1, ephemeralGiB: 0, swapMiB: 0, extraSpecs: {} },
      keyName: null,
      publicKey: null,
      metadata: {},
      tags: [],
      userData: null,
      files: [],
      configDrive: true,
      requestedZone: null,
      accessIpv4: '',
      accessIpv6: '',
      diskConfig: 'MANUAL',
      adminPassword: 'secret',
      operation: {
        kind: 'server.create',
        deadlineMs: 60_000,
        firstStep: 'place',
        queue: placementQueue,
        taskState: 'scheduling',
        hintAfterMs: 1_000,
      },
    }
    await this.database.transaction((tx) => this.insert(tx, request))
    if (hint) {
      const hints = servers.map(({ stepId, operationId }) => ({ kind: 'step', stepId, operationId, requestId }))
      await this.queue.castAll(placementQueue, hints)
    }
    return servers.map((server) => server.id)
  }

  private async insert(tx: Transaction, request: NewServersRequest): Promise<void> {
    assert(await insertServers(tx, request, generous), 'nothing is in the way')
    const { network: networkId } = this
    if (!networkId) return
    const ports = request.servers.map(({ id }) => ({
      id: newId<PortId>(systemRandom),
      networkId,
      projectId,
      ...portOfServer(id, 0),
    }))
    await createPorts(tx, ports, systemRandom)
  }

  /** As the API deletes. The command goes out with the next sweep. */
  async delete(id: ServerId): Promise<void> {
    await this.store.transaction(async (tx) => {
      const { server, live } = (await tx.lockServer(id))!
      if (live) await this.engine.cancel(tx, live, 'deleted')
      if (server.hostId)
        return void (await this.engine.begin(tx, 'server.delete', server, { projectId, userId, requestId: newRequestId() }))
      await tx.setWanted(id, 'deleted')
      if (server.hasPorts) await tx.releasePorts(id)
      await tx.markDeleted(id)
      await recordAction(tx.tx, { server, kind: 'server.delete', message: null, requestId: newRequestId(), userId })
    })
    await this.database.execute(`UPDATE operation_steps SET next_hint_at = now() WHERE state = 'open'`)
  }

  /** Begins an operation on a server that has none. Its command goes out with the next sweep. */
  async begin(id: ServerId, kind: string, input: Record<string, unknown> = {}): Promise<void> {
    await this.store.transaction(async (tx) => {
      const { server } = (await tx.lockServer(id))!
      await this.engine.begin(tx, kind, server, { projectId, userId, requestId: newRequestId() }, input)
    })
  }

  async find(id: ServerId): Promise<ServerRow | undefined> {
    return await findServer(this.database, id, undefined)
  }

  /** Waits until every one of them has come to rest, and returns their vm_states counted. */
  async settled(ids: readonly ServerId[]): Promise<Record<string, number>> {
    return await waitFor(
      'servers come to rest',
      async () => {
        const rows = await this.database.query<{ vm_state: string; live: boolean }>(
          `SELECT v.vm_state, EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding')) AS live
         FROM servers v WHERE v.id = ANY($1::uuid[])`,
          [ids],
        )
        if (rows.some((row) => row.live)) return undefined
        const counts: Record<string, number> = {}
        for (const { vm_state } of rows) counts[vm_state] = (counts[vm_state] ?? 0) + 1
        return counts
      },
      { timeoutMs: 60_000 },
    )
  }

  private async image(): Promise<ImageId> {
    if (this.imageId) return this.imageId
    this.imageId = newId<ImageId>(systemRandom)
    await this.database.execute(
      `INSERT INTO images (id, project_id, status, visibility, disk_format, container_format, size_bytes, virtual_bytes, sha512)
       VALUES ($1, $2, 'active', 'public', 'qcow2', 'bare', 1024, 1048576, $3)`,
      [this.imageId, projectId, 'a'.repeat(128)],
    )
    return this.imageId
  }
}

function newRequestId(): RequestId {
  return `req-${newId(systemRandom)}` as RequestId
}
