import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { claimRegistration, Database, findHostKey, PgOperationStore, recordRefusals } from '@nubo/database'
import type { Clock, Random } from '@nubo/kernel'
import { BullMqQueue, observed, type Queue, type Seal } from '@nubo/queue'
import { CLOCK, CONFIGURATION, Health, LOGGER, Metrics, poolMetrics, queueMetrics, RANDOM, type Logger } from '@nubo/service-kit'
import { OperationEngine, operations } from '@nubo/workflow'
import { makeCaster } from './caster.js'
import type { ControlPlaneConfiguration } from './configuration.js'
import { HostKeyRing } from './host-key-ring.js'
import { HostRefusals } from './host-refusals.js'
import { ControlPlaneSeal } from './host-seal.js'
import { imageCredentials } from './image-credentials.js'
import { CASTER, DATABASE, ENGINE, HOST_REFUSALS, HOST_SEAL, OPERATION_STORE, QUEUE } from './tokens.js'

const QUEUE_NEEDED = Symbol('queue needed')

/** The database, the queue and the operations, for every module of a service of the control plane. */
@Global()
@Module({})
export class ControlPlaneModule implements OnApplicationShutdown {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(QUEUE_NEEDED) queueNeeded: boolean,
    health: Health,
    metrics: Metrics,
  ) {
    health.register('database', async () => void (await database.query('SELECT 1')))
    health.register('queue', async () => void (await queue.depth('placement')), { needed: queueNeeded })
    poolMetrics(metrics, () => database.use)
  }

  /** @param options.queueNeeded false for a service that is of use while the queue is away. */
  static with({ queueNeeded = true } = {}): DynamicModule {
    return {
      module: ControlPlaneModule,
      providers: [...providers, { provide: QUEUE_NEEDED, useValue: queueNeeded }],
      exports: providers.map(({ provide }) => provide),
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close()
    await this.database.close()
  }
}

const providers = [
  {
    provide: DATABASE,
    inject: [CONFIGURATION, CLOCK, RANDOM],
    useFactory: (configuration: ControlPlaneConfiguration, clock: Clock, random: Random) =>
      Database.connect(configuration.database, clock, random),
  },
  {
    provide: HOST_REFUSALS,
    inject: [DATABASE, Metrics, CLOCK, LOGGER],
    useFactory(database: Database, metrics: Metrics, clock: Clock, logger: Logger): HostRefusals {
      const help = 'What was told in the names of hosts and not believed, by reason'
      const counter = metrics.counter({ name: 'nubo_host_refusals_total', help, labels: ['reason'] })
      return new HostRefusals(
        (hostId, reason, count) => recordRefusals(database, hostId, reason, count),
        (reason) => counter.inc({ reason }),
        clock,
        logger,
      )
    },
  },
  { provide: HOST_SEAL, inject: [CONFIGURATION, DATABASE, HOST_REFUSALS, CLOCK], useFactory: makeSeal },
  {
    provide: QUEUE,
    inject: [CONFIGURATION, HOST_SEAL, CLOCK, RANDOM, LOGGER, Metrics],
    useFactory(
      { redis }: ControlPlaneConfiguration,
      seal: Seal,
      clock: Clock,
      random: Random,
      logger: Logger,
      metrics: Metrics,
    ): Queue {
      const onError = (error: Error) => logger.warn({ err: error }, 'queue')
      return observed(new BullMqQueue({ redis, seal, clock, random, onError }), queueMetrics(metrics), clock)
    },
  },
  { provide: ENGINE, inject: [RANDOM], useFactory: (random: Random) => new OperationEngine(operations, random) },
  {
    provide: OPERATION_STORE,
    inject: [DATABASE, Metrics],
    useFactory(database: Database, metrics: Metrics): PgOperationStore {
      const help = 'Operations that this process ended, by kind and how'
      const ended = metrics.counter({ name: 'nubo_operations_ended_total', help, labels: ['kind', 'outcome'] })
      return new PgOperationStore(database, ({ kind, outcome }) => ended.inc({ kind, outcome }))
    },
  },
  {
    provide: CASTER,
    inject: [CONFIGURATION, OPERATION_STORE, QUEUE, ENGINE, CLOCK, LOGGER],
    useFactory: (
      configuration: ControlPlaneConfiguration,
      store: PgOperationStore,
      queue: Queue,
      engine: OperationEngine,
      clock: Clock,
      logger: Logger,
    ) => makeCaster({ store, queue, engine, compose: imageCredentials(configuration, clock), logger }),
  },
]

function makeSeal({ hostCommands }: ControlPlaneConfiguration, database: Database, refusals: HostRefusals, clock: Clock): Seal {
  return new ControlPlaneSeal({
    commandKey: createPrivateKey(readFileSync(hostCommands.privateKeyFile, 'utf8')),
    hostKeys: new HostKeyRing((hostId) => findHostKey(database, hostId), clock),
    refusals,
    claimRegistration: (hostId, publicKey, number) => claimRegistration(database, hostId, publicKey, number),
  })
}
