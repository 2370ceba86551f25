import { makeCaster } from '@nubo/control-plane'
import {
  countNetworkUse,
  createPorts,
  Database,
  notePortBound,
  PgOperationStore,
  portOfServer,
  type Connections,
  type Transaction,
} from '@nubo/database'
import { createMigrated, NetworkRows } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type PortId, type ServerId } from '@nubo/kernel'
import { Metrics } from '@nubo/service-kit'
import { OperationEngine, operations, type ServerRecord } from '@nubo/workflow'
import pg from 'pg'
import type { Agent } from '../../../services/compute-agent/src/agent.js'
import { quiet as logger } from '../../../services/compute-agent/src/testing/test-agent.js'
import { VirtualClock } from '../../../services/compute-agent/src/testing/virtual-clock.js'
import { ConductorModule } from '../../../services/conductor/src/conductor.module.js'
import { placementFigures } from '../../../services/scheduler/src/placement-figures.js'
import { Placer } from '../../../services/scheduler/src/placer.js'
import { SchedulerModule } from '../../../services/scheduler/src/scheduler.module.js'
import { Stack } from '../../support/stack.js'
import { projectId, TestServers } from '../servers.js'
import { inMemory, type OpenCarrier } from './carriers.js'
import { Door, type Call, type Interference } from './door.js'
import { HarnessHost } from './host.js'
import { Post } from './post.js'

const random = systemRandom
const stepMs = 250
const mostRounds = 200
const poolSize = 12
const silenceMs = 30_000
const compose = { imageUrl: 'http://images', signImageCredential: async () => 'credential' }
/** Turns of the event loop without anything under way: whatever could happen without time passing has happened. */
const idleTurns = 8

/**
 * A cloud in one process: a scheduler, a conductor and the agents of two hosts, each behind a door at which it can be
 * killed, on a real PostgreSQL. Time passes when it is told to.
 */
export class World implements AsyncDisposable {
  readonly clock = new VirtualClock()
  readonly post: Post
  readonly hosts: HarnessHost[]
  readonly database: Database
  readonly servers: TestServers
  readonly store: PgOperationStore
  readonly engine = new OperationEngine(operations, random)
  /** Has its say about every call that a process makes. */
  interfere: (call: Call) => Interference | undefined = () => undefined
  private readonly busy = new Set<Promise<unknown>>()
  private readonly doors = new Map<string, Door>()
  private readonly agents = new Map<string, Agent>()

  private constructor(
    private readonly pool: Connections,
    private readonly stack: Stack,
    openCarrier: OpenCarrier,
  ) {
    this.post = new Post(openCarrier(this.clock))
    this.hosts = [new HarnessHost(this.clock), new HarnessHost(this.clock)]
    this.database = Database.over(pool)
    this.store = new PgOperationStore(this.database)
    this.servers = new TestServers(this.database, this.post)
  }

  static async start(openCarrier: OpenCarrier = inMemory): Promise<World> {
    const stack = new Stack()
    const postgres = stack.add(await startPostgres(), (each) => each.stop())
    const address = await createMigrated(postgres)
    const pool = stack.add(new pg.Pool({ ...address, max: poolSize }), (each) => each.end())
    pool.on('error', () => undefined)
    const use = { size: poolSize, inUse: 0, waiting: 0, longestWaitMs: 0 }
    const world = new World({ ...bound(pool), use }, stack, openCarrier)
    stack.add(world.post, (each) => each.close())
    world.servers.network = await new NetworkRows(world.database).network(1)
    await world.database.execute(`UPDATE subnets SET pools = '[{"start": "10.0.0.2", "end": "10.0.0.254"}]'`)
    await world.database.transaction((tx) => countNetworkUse(tx, projectId, { network: 1, subnet: 1 }))
    await world.registered()
    return world
  }

  /** Until every host has an agent that was answered. */
  async registered(): Promise<void> {
    await this.until('every host is registered', () =>
      this.hosts.every((_, index) => this.isRunning(agentName(index)) && this.agents.get(agentName(index))?.isRegistered),
    )
  }

  static async insteadOf(world: World, openCarrier?: OpenCarrier): Promise<World> {
    await world[Symbol.asyncDispose]()
    return await World.start(openCarrier)
  }

  get agentNames(): string[] {
    return this.hosts.map((_, index) => agentName(index))
  }

  async create(): Promise<ServerId> {
    const [id] = await this.servers.create(1)
    return id!
  }

  /** As the API or a conductor begins an operation, on the host where the server lies. */
  async begin(kind: string, serverId: ServerId): Promise<void> {
    const { store, engine, post: queue } = this
    const caster = makeCaster({ store, engine, queue, compose, logger })
    const opened = await store.transaction(async (tx) => {
      const { server } = (await tx.lockServer(serverId))!
      const held = await tx.tx.query<Pick<ServerRecord, 'hostId' | 'incarnation'>>(
        'SELECT host_id AS "hostId", incarnation FROM allocations WHERE server_id = $1',
        [serverId],
      )
      const incarnations = held.map(({ incarnation }) => incarnation)
      const input = { incarnations, portId: await this.portFor(tx.tx, kind, server) }
      const hostId = server.hostId ?? held[0]?.hostId ?? null
      const requestId = `req-${newId(random)}` as Parameters<typeof engine.begin>[3]['requestId']
      return await engine.begin(tx, kind, { ...server, hostId }, { projectId, userId: null, requestId }, input)
    })
    await caster.cast([opened])
  }

  /** What an operation about an interface is about: a port that was just made, or the one that the server has. */
  private async portFor(tx: Transaction, kind: string, { id, hostId }: ServerRecord): Promise<PortId | undefined> {
    if (kind !== 'server.attach-interface') {
      const [port] = await tx.query<{ id: PortId }>('SELECT id FROM ports WHERE server_id = $1', [id])
      return port?.id
    }
    const port = { id: newId<PortId>(random), networkId: this.servers.network!, projectId, hostId, ...portOfServer(id, 1) }
    await createPorts(tx, [port], random)
    await notePortBound(tx, port.id)
    return port.id
  }

  /** Resolves when nothing can happen any more unless time passes. */
  async quiet(): Promise<void> {
    do await this.idle()
    while (await this.post.carries())
  }

  private async idle(): Promise<void> {
    for (let idle = 0; idle < idleTurns; idle++) {
      while (this.busy.size > 0) {
        idle = 0
        await Promise.allSettled(this.busy)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      await this.clock.pass(Math.min(stepMs, left), stepMs)
      await this.quiet()
    }
  }

  /** Lets time pass, starts again what was killed and makes hints due, until `condition`. */
  async until(what: string, condition: () => Promise<boolean> | boolean | undefined): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      await this.quiet()
      if (await condition()) return
      await this.revive()
      await this.database.execute(`UPDATE operation_steps SET next_hint_at = clock_timestamp() WHERE state = 'open'`)
      await this.database.execute('UPDATE host_networks SET next_hint_at = clock_timestamp() WHERE next_hint_at IS NOT NULL')
      await this.pass(2 * stepMs)
    }
    throw new Error(`it did not come about that ${what}`)
  }

  /** Until no operation on the server is under way. */
  async ended(serverId: ServerId): Promise<void> {
    await this.until('the operation ends', async () => {
      const [row] = await this.database.query<{ live: boolean }>(
        `SELECT EXISTS (SELECT FROM operations WHERE server_id = $1 AND state IN ('running', 'unwinding')) AS live`,
        [serverId],
      )
      return !row!.live
    })
  }

  /** Starts every process that was killed, or not started yet. */
  async revive(): Promise<void> {
    if (!this.isRunning('scheduler')) this.startScheduler(this.openDoor('scheduler'))
    if (!this.isRunning('conductor')) this.startConductor(this.openDoor('conductor'))
    for (const [index, host] of this.hosts.entries()) {
      const name = agentName(index)
      if (this.isRunning(name)) continue
      const started = host.startAgent(this.openDoor(name, 'agent'), this.post, this.clock)
      // An agent that is killed while it starts never has.
      void started.then((agent) => this.agents.set(name, agent))
      await this.quiet()
    }
  }

  kill(process: string): void {
    this.doors.get(process)?.kill()
    this.agents.delete(process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const door of this.doors.values()) door.kill()
    await this.stack[Symbol.asyncDispose]()
  }

  private isRunning(name: string): boolean {
    return this.doors.get(name)?.isOpen === true
  }

  /** @param process what its calls are said to be of: those of all agents are alike. */
  private openDoor(name: string, process = name): Door {
    const door = new Door(process, (call) => this.interfere(call), this.busy)
    this.doors.set(name, door)
    return door
  }

  private footing(door: Door) {
    const [clock, queue] = [door.clock(this.clock), door.queue(this.post)]
    const database = Database.over(door.connections(this.pool), clock, random)
    const store = new PgOperationStore(database)
    const { engine } = this
    return { clock, queue, database, store, engine, caster: makeCaster({ store, queue, engine, compose, logger }) }
  }

  private startScheduler(door: Door): void {
    const { clock, queue, database, store, engine, caster } = this.footing(door)
    const onError = () => undefined
    const observer = placementFigures(new Metrics(clock, logger))
    const placer = new Placer({ database, store, engine, caster, random, observer, silenceMs, onDeaf: onError, onError })
    new SchedulerModule(placer, queue, database, clock, logger).onApplicationBootstrap()
  }

  private startConductor(door: Door): void {
    const { clock, queue, database, store, engine, caster } = this.footing(door)
    const metrics = new Metrics(clock, logger)
    new ConductorModule(database, store, engine, caster, queue, clock, random, logger, metrics).onApplicationBootstrap()
  }
}

function bound(pool: pg.Pool): Omit<Connections, 'use'> {
  return {
    query: (statement) => pool.query(statement),
    connect: () => pool.connect(),
    end: () => pool.end(),
  }
}

function agentName(index: number): string {
  return `agent-${index + 1}`
}
