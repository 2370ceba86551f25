import { placementQueue, type Inventory } from '@nubo/contract'
import {
  adoptGuests,
  claim,
  insertServers,
  observeGuests,
  Once,
  PgOperationTransaction,
  registerHost,
  type NewServersRequest,
  type Transaction,
} from '@nubo/database'
import { sampleInventory } from '@nubo/database/testing'
import { defaultLimits } from '@nubo/domain'
import {
  CloudError,
  newId,
  seededRandom,
  type FlavorId,
  type HostId,
  type Id,
  type ImageId,
  type OperationId,
  type ProjectId,
  type RequestId,
  type RequestKey,
  type ServerId,
  type SessionId,
  type StepId,
  type UserId,
} from '@nubo/kernel'
import { OperationEngine, operations } from '@nubo/workflow'
import { Chance } from './core/chance.js'

const userId = 'user-1' as UserId
const requestId = 'req-1' as RequestId

interface Placed {
  server: ServerId
  operation: OperationId
  place: StepId
}

/** One transaction that somebody may run, as our programs run it; what it returns is what its caller learns. */
export interface Deed {
  what: string
  /** What it learns, where it was turned away to come again: whatever the order, that may be. */
  turnedAway?: string
  run: (tx: Transaction) => Promise<unknown>
}

/** What a request learns while another one with its key is under way, or has just ended. */
const underWay = 'under way'
const overQuota = 'over quota'
/** What guests are seen as: running, or off. */
const powerStates = [1, 4] as const
const inventory: Inventory = { ...sampleInventory, virtType: 'simulated', totalVcpus: 2, totalMemoryMiB: 128 }

/** A small cloud of its own, and what is done to it at the same time. The same seed makes the same again. */
export class Scene {
  readonly deeds: Deed[]
  private readonly chance: Chance
  private readonly project: ProjectId
  private readonly hosts: HostId[]
  private readonly servers: Placed[]
  /** What the first host may come to say things under: the session that it has, and the one that it will register. */
  private readonly sessions: SessionId[]
  private readonly claimed: number
  private readonly limit: number

  constructor(private readonly seed: number) {
    this.chance = new Chance(seed)
    this.project = `project-${seed}` as ProjectId
    this.hosts = Array.from({ length: this.chance.whole(1, 2) }, () => this.id<HostId>())
    this.sessions = [this.hosts[0] as string as SessionId, this.id<SessionId>()]
    this.servers = Array.from({ length: this.chance.whole(2, 4) }, () => this.newPlaced())
    this.claimed = this.chance.whole(0, this.servers.length)
    this.limit = this.servers.length + this.chance.whole(0, 2)
    this.deeds = Array.from({ length: this.chance.whole(4, 6) }, () => this.newDeed())
  }

  /** What there is before anything is done. */
  async build(tx: Transaction): Promise<void> {
    await tx.execute('INSERT INTO project_quotas (project_id, limits) VALUES ($1, $2)', [this.project, { instances: this.limit }])
    for (const [index, host] of this.hosts.entries()) {
      await tx.execute(
        `INSERT INTO hosts (id, name, session_id, last_heard_at, architecture, hypervisor_type, hypervisor_version, virt_type,
           total_vcpus, total_memory_mib, total_disk_gib, capacity_vcpus, capacity_memory_mib, capacity_disk_gib)
         VALUES ($1, $2, $1, clock_timestamp(), 'x86_64', 'QEMU', 1, 'simulated', 2, 128, 100, 2, 128, 100)`,
        [host, `host-${this.seed}-${index}`],
      )
    }
    await this.insert(tx, this.servers)
    const engine = this.engine(1)
    for (const placed of this.servers.slice(0, this.claimed)) await this.place(tx, engine, placed, this.hosts[0]!)
  }

  /** Takes away all that `build` and the deeds made. */
  async clear(tx: Transaction): Promise<void> {
    const mine = '(SELECT id FROM servers WHERE project_id = $1)'
    await tx.execute(`DELETE FROM operation_steps WHERE operation_id IN (SELECT id FROM operations WHERE project_id = $1)`, [
      this.project,
    ])
    await tx.execute('DELETE FROM operations WHERE project_id = $1', [this.project])
    await tx.execute(`DELETE FROM allocations WHERE server_id IN ${mine}`, [this.project])
    await tx.execute(`DELETE FROM placement_decisions WHERE server_id IN ${mine}`, [this.project])
    await tx.execute('DELETE FROM servers WHERE project_id = $1', [this.project])
    await tx.execute('DELETE FROM idempotency_keys WHERE scope = $1', [this.project])
    await tx.execute('DELETE FROM project_quotas WHERE project_id = $1', [this.project])
    await tx.execute('DELETE FROM hosts WHERE id = ANY ($1::uuid[])', [this.hosts])
  }

  /** All that the deeds may have changed, without times and without ids that chance made. */
  async read(tx: Transaction): Promise<string> {
    const [row] = await tx.query<{ state: unknown }>(readState, [this.project, this.hosts])
    return JSON.stringify(row!.state)
  }

  private newDeed(): Deed {
    const placed = this.chance.pick(this.servers)
    const host = this.chance.pick(this.hosts)
    const engine = this.engine(this.chance.whole(2, 1e9))
    const name = `server ${this.servers.indexOf(placed)}`
    const more = Array.from({ length: this.chance.whole(1, 2) }, () => this.newPlaced())
    // Room is what is raced for most.
    const place = {
      what: `place ${name} on host ${this.hosts.indexOf(host)}`,
      run: (tx: Transaction) => this.place(tx, engine, placed, host),
    }
    const deeds: Deed[] = [
      ...[place, place, place, place],
      { what: `insert ${more.length}`, run: (tx) => this.insert(tx, more) },
      { what: `delete ${name}`, run: (tx) => this.delete(tx, engine, placed) },
      this.newResult(engine, placed),
      { what: `build of ${name} failed`, run: (tx) => this.endBuild(tx, engine, placed) },
      { what: `insert ${more.length} with a key`, turnedAway: underWay, run: (tx) => this.insertOnce(tx, more) },
      { what: `insert ${more.length} with a key`, turnedAway: underWay, run: (tx) => this.insertOnce(tx, more) },
      this.newObservation(),
      this.newObservation(),
      { what: 'register host 0', run: (tx) => this.register(tx) },
      { what: `release ${name}`, run: (tx) => new PgOperationTransaction(tx).releaseRoom(placed.server, 1) },
    ]
    return this.chance.pick(deeds)
  }

  private async insert(tx: Transaction, placed: readonly Placed[]): Promise<boolean> {
    return await insertServers(tx, this.request(placed), { ...defaultLimits, instances: -1, cores: -1, ramMiB: -1 })
  }

  /** As the api answers a request that carries a key: all of the scene's carry the same. */
  private async insertOnce(tx: Transaction, placed: readonly Placed[]): Promise<string> {
    const key: RequestKey = {
      ...{ scope: this.project, userId, route: 'POST /servers', keyDigest: 'key', requestDigest: 'request' },
      answerTo: (body) => ({ status: 202, location: null, body: body ?? null }),
    }
    const once = new Once<string[]>(key, (made) => made)
    // Instead of a transaction that fails: this one goes on, so that it can stand in a row with others.
    await tx.execute('SAVEPOINT request')
    try {
      return await once
        .within(tx, async () => {
          if (!(await this.insert(tx, placed))) throw new CloudError('QuotaExceeded', 'Quota exceeded.')
          return placed.map(({ server }) => server)
        })
        .then(() => 'made')
    } catch (error) {
      if (!(error instanceof CloudError && (error.kind === 'Conflict' || error.kind === 'QuotaExceeded'))) throw error
      await tx.execute('ROLLBACK TO SAVEPOINT request')
      return error.kind === 'Conflict' ? underWay : overQuota
    }
  }

  /** What the first host says that it saw, in one of its sessions. */
  private newObservation(): Deed {
    const placed = this.chance.pick(this.servers)
    const [report, number] = this.newReport()
    const { sessionId, sequence } = report
    const seen = { powerState: this.chance.pick(powerStates), sequence, incarnation: 1 }
    return {
      what: `see server ${this.servers.indexOf(placed)} with ${seen.powerState} as ${number}`,
      run: (tx) => observeGuests(tx, this.hosts[0]!, sessionId, [{ serverId: placed.server, ...seen }]),
    }
  }

  private newResult(engine: OperationEngine, placed: Placed): Deed {
    const [report, number] = this.newReport()
    return {
      what: `build of server ${this.servers.indexOf(placed)} is done, seen as ${number}`,
      run: (tx) => this.endBuild(tx, engine, placed, report),
    }
  }

  /** Something that is seen in one of the first host's sessions, in words too. */
  private newReport(): [{ sessionId: SessionId; sequence: number }, string] {
    const [sessionId, sequence] = [this.chance.pick(this.sessions), this.chance.whole(2, 4)]
    return [{ sessionId, sequence }, `number ${sequence} of session ${this.sessions.indexOf(sessionId)}`]
  }

  /** As a conductor begins a session of the first host. */
  private async register(tx: Transaction): Promise<unknown> {
    const hostId = this.hosts[0]!
    const report = {
      ...{
        kind: 'register' as const,
        registrationId: hostId,
        hostId,
        hostName: `host-${this.seed}-0`,
        address: '',
        bootId: 'boot',
      },
      ...{ agentId: hostId as string as Id<'agent'>, quarantine: null, fencingEpoch: 1, inventory, guests: [] },
    }
    const registration = await registerHost(tx, report, this.sessions[1]!)
    await adoptGuests(tx, hostId, registration.fencingEpoch)
    return registration
  }

  /** As a scheduler places. */
  private async place(tx: Transaction, engine: OperationEngine, placed: Placed, hostId: HostId): Promise<string> {
    const operation = new PgOperationTransaction(tx)
    const located = await operation.lockStep(placed.place)
    const isLive = located?.step.state === 'open' && located.operation.state === 'running' && located.server.wanted !== 'deleted'
    if (!isLive) return 'no step'
    const wanted = { serverId: placed.server, operationId: placed.operation, hostId, fencingEpoch: 1, decision: {} }
    const incarnation = await claim(tx, wanted)
    if (incarnation === undefined) return 'no room'
    await engine.done(operation, { ...located, server: { ...located.server, hostId, incarnation } }, {})
    return `incarnation ${incarnation}`
  }

  /** As the api deletes. */
  private async delete(tx: Transaction, engine: OperationEngine, { server: id }: Placed): Promise<string> {
    const operation = new PgOperationTransaction(tx)
    const found = await operation.lockServer(id)
    if (!found || found.server.vmState === 'deleted') return 'not found'
    if (found.live?.operation.kind === 'server.delete') return 'under way'
    if (found.live) await engine.cancel(operation, found.live, 'deleted')
    await operation.setWanted(id, 'deleted')
    if (found.server.hostId) {
      await engine.begin(operation, 'server.delete', found.server, { projectId: this.project, userId, requestId })
      return 'begun'
    }
    await operation.markDeleted(id)
    return 'deleted'
  }

  /** As a conductor takes in how a build ended: done, by a report, or not. */
  private async endBuild(
    tx: Transaction,
    engine: OperationEngine,
    placed: Placed,
    report?: { sessionId: SessionId; sequence: number },
  ): Promise<string> {
    const operation = new PgOperationTransaction(tx)
    const [row] = await tx.query<{ id: StepId }>(findBuild, [placed.operation])
    const located = row && (await operation.lockStep(row.id))
    if (located?.step.state !== 'open' || located.operation.state !== 'running') return 'no step'
    if (report) await engine.done(operation, located, { powerState: 1, report })
    else await engine.failed(operation, located, { scope: 'request', message: 'it failed' })
    return 'taken'
  }

  private newPlaced(): Placed {
    return { server: this.id<ServerId>(), operation: this.id<OperationId>(), place: this.id<StepId>() }
  }

  private id<T extends string>(): T {
    return newId(this.chance.random) as string as T
  }

  private engine(seed: number): OperationEngine {
    return new OperationEngine(operations, seededRandom(this.seed * 7 + seed))
  }

  private request(placed: readonly Placed[]): NewServersRequest {
    const flavor = {
      id: 'f' as FlavorId,
      name: 'f',
      vcpus: 1,
      memoryMiB: 64,
      diskGiB: 1,
      ephemeralGiB: 0,
      swapMiB: 0,
      extraSpecs: {},
    }
    return {
      servers: placed.map(({ server, operation, place }, launchIndex) => ({
        ...{ id: server, operationId: operation, stepId: place, name: 'vm', hostname: 'vm', launchIndex },
      })),
      ...{ projectId: this.project, userId, requestId, reservationId: 'r', description: null, flavor },
      imageId: '1d8f3c52-7f3b-4f0e-9a55-0d6f0a1a2b3c' as ImageId,
      ...{ keyName: null, publicKey: null, metadata: {}, tags: [], userData: null, files: [], configDrive: true },
      ...{ requestedZone: null, accessIpv4: '', accessIpv6: '', diskConfig: 'MANUAL' as const, adminPassword: 'secret' },
      operation: {
        ...{ kind: 'server.create', deadlineMs: 60_000, firstStep: 'place', taskState: 'scheduling', hintAfterMs: 60_000 },
        queue: placementQueue,
      },
    }
  }
}

const findBuild = `SELECT id FROM operation_steps WHERE operation_id = $1 AND name = 'build' AND direction = 'do' AND state = 'open'`

const readState = `SELECT json_build_array(
  (SELECT json_agg(json_build_array(id, used_vcpus, used_memory_mib, used_disk_gib, server_count, session_id, seen_sequence, fencing_epoch) ORDER BY id) FROM hosts WHERE id = ANY ($2::uuid[])),
  (SELECT json_agg(json_build_array(used_instances, used_cores, used_ram_mib)) FROM project_quotas WHERE project_id = $1),
  (SELECT json_agg(json_build_array(id, wanted, vm_state, task_state, host_id, incarnation, fence, power_state, seen_session, seen_sequence,
     deleted_at IS NULL) ORDER BY id)
     FROM servers WHERE project_id = $1),
  (SELECT json_agg(json_build_array(a.server_id, a.incarnation, a.host_id) ORDER BY a.server_id, a.incarnation)
     FROM allocations a JOIN servers v ON v.id = a.server_id WHERE v.project_id = $1),
  (SELECT json_agg(json_build_array(server_id, kind, state) ORDER BY server_id, kind, state) FROM operations WHERE project_id = $1),
  (SELECT json_agg(json_build_array(o.server_id, s.name, s.direction, s.state, s.fence, s.host_id) ORDER BY o.server_id, s.name, s.direction, s.fence, s.state)
     FROM operation_steps s JOIN operations o ON o.id = s.operation_id WHERE o.project_id = $1),
  (SELECT json_agg(json_build_array(key_digest, status, body)) FROM idempotency_keys WHERE scope = $1)) AS state`
