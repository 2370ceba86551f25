import type { Logger } from '@nubo/service-kit'
import { operations, type OperationDefinition } from '@nubo/workflow'
import type { Engine } from '../postgres/engine.js'
import { PostgresServer } from '../postgres/server.js'
import { Chance } from './chance.js'
import { Process } from './process.js'
import { Redis, wordsOf } from './redis.js'
import { Simulation } from './simulation.js'
import { Trace } from './trace.js'

/** In a cloud without patience deadlines pass while a host is away: so many times as soon. */
const haste = [20, 60] as const

/** Everything that the programs of a cloud stand on, from one seed. */
export class World {
  readonly chance: Chance
  readonly simulation: Simulation
  readonly trace: Trace
  readonly redis: Redis
  readonly postgres: PostgresServer
  readonly isHasty: boolean
  readonly operations: readonly OperationDefinition[]

  constructor(
    readonly engine: Engine,
    readonly seed: number,
    { verbose }: { verbose: boolean },
  ) {
    engine.reset(seed)
    this.chance = new Chance(seed)
    this.simulation = new Simulation(this.chance.fork())
    this.trace = new Trace(this.simulation, verbose)
    this.redis = new Redis(this.simulation, this.chance.fork(), this.trace)
    this.postgres = new PostgresServer(engine, this.simulation, this.chance.fork(), this.trace)
    this.isHasty = this.chance.happens(0.1)
    const times = this.chance.pick(haste)
    this.operations = this.isHasty ? operations.map((definition) => sooner(definition, times)) : operations
  }

  process(name: string, skewMs = 0): Process {
    return new Process(name, this.simulation, skewMs)
  }

  /** What a program logs is for a reader of the history. */
  loggerOf(process: Process): Logger {
    const line = (fields: unknown, text?: unknown) =>
      this.trace.detail(process.name, () => {
        if (typeof fields === 'string') return fields
        const { err, ...rest } = fields as { err?: unknown }
        return `${String(text)} ${err === undefined ? '' : `(${wordsOf(err)}) `}${JSON.stringify(rest)}`
      })
    return { trace: line, debug: line, info: line, warn: line, error: line, fatal: line } as unknown as Logger
  }
}

const sooner = (definition: OperationDefinition, times: number): OperationDefinition => ({
  ...definition,
  deadlineMs: definition.deadlineMs / times,
})
