import { makeCaster } from '@nubo/control-plane'
import { ConductorModule } from '@nubo/conductor/dist/conductor.module.js'
import { Database, PgOperationStore } from '@nubo/database'
import type { Random } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { Batcher } from '@nubo/scheduler/dist/batcher.js'
import { placementFigures } from '@nubo/scheduler/dist/placement-figures.js'
import { Placer } from '@nubo/scheduler/dist/placer.js'
import { Metrics } from '@nubo/service-kit'
import { placementQueue, stepHint } from '@nubo/contract'
import type { StepId } from '@nubo/kernel'
import { OperationEngine, type Caster } from '@nubo/workflow'
import type { Process } from '../core/process.js'
import { wordsOf } from '../core/redis.js'
import type { World } from '../core/world.js'
import { opening } from './sealed.js'
import { SimulatedConnections } from '../postgres/connections.js'

/** What every program of the control plane stands on. */
export interface Footing {
  process: Process
  random: Random
  database: Database
  queue: Queue
  engine: OperationEngine
  store: PgOperationStore
  caster: Caster
}

export function footingOf(world: World, process: Process): Footing {
  const chance = world.chance.fork()
  const { random } = chance
  const database = Database.over(new SimulatedConnections(process, world.postgres, chance), process.clock, random)
  const queue = world.redis.queueOf(process)
  const engine = new OperationEngine(world.operations, random)
  const store = new PgOperationStore(database)
  const compose = { imageUrl: 'http://images', signImageCredential: async () => 'credential' }
  const caster = makeCaster({ store, queue, engine, compose, logger: world.loggerOf(process) })
  return { process, random, database, queue, engine, store, caster }
}

/** Takes in reports, casts again what nobody took, ends what is overdue. */
export function startConductor(world: World, process: Process): void {
  const { database, store, engine, caster, queue, random } = footingOf(world, process)
  const logger = world.loggerOf(process)
  const metrics = new Metrics(process.clock, logger)
  const opened = opening(queue, database)
  new ConductorModule(database, store, engine, caster, opened, process.clock, random, logger, metrics).onApplicationBootstrap()
}

const silenceMs = 30_000

/** Places servers. */
export function startScheduler(world: World, process: Process): void {
  const { database, store, engine, caster, queue, random } = footingOf(world, process)
  const onError = (error: unknown) => world.trace.note(process.name, `did not place: ${wordsOf(error)}`)
  const onDeaf = (steps: number) => world.trace.note(process.name, `is deaf: ${steps} placements wait`)
  const observer = placementFigures(new Metrics(process.clock, world.loggerOf(process)))
  const placer = new Placer({ database, store, engine, caster, random, observer, silenceMs, onDeaf, onError })
  const batcher = new Batcher<StepId>((ids) => placer.place(ids))
  queue.work(placementQueue, async (message) => await batcher.add(stepHint.parse(message).stepId), { concurrency: 64 })
}
