import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { Database, PgOperationStore } from '@nubo/database'
import type { Clock, CloudError, Random, StepId } from '@nubo/kernel'
import { BullMqQueue, observed, type Queue } from '@nubo/queue'
import { CLOCK, CONFIGURATION, Health, LOGGER, Metrics, poolMetrics, queueMetrics, RANDOM, type Logger } from '@nubo/service-kit'
import { Caster, OperationEngine, operations, type OpenStep } from '@nubo/workflow'
import type { ControlPlaneConfiguration } from './configuration.js'
import { imageCredentials } from './image-credentials.js'
import { CASTER, DATABASE, ENGINE, OPERATION_STORE, QUEUE } from './tokens.js'

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
    provide: QUEUE,
    inject: [CONFIGURATION, CLOCK, RANDOM, LOGGER, Metrics],
    useFactory: (configuration: ControlPlaneConfiguration, clock: Clock, random: Random, logger: Logger, metrics: Metrics) => {
      const onError = (error: Error) => logger.warn({ err: error }, 'queue')
      const queue = new BullMqQueue({ redis: configuration.redis, clock, random, onError })
      return observed(queue, queueMetrics(metrics), clock)
    },
  },
  { provide: ENGINE, inject: [RANDOM], useFactory: (random: Random) => new OperationEngine(operations, random) },
  { provide: OPERATION_STORE, inject: [DATABASE], useFactory: (database: Database) => new PgOperationStore(database) },
  { provide: CASTER, inject: [CONFIGURATION, OPERATION_STORE, QUEUE, ENGINE, CLOCK, LOGGER], useFactory: makeCaster },
]

function makeCaster(
  configuration: ControlPlaneConfiguration,
  store: PgOperationStore,
  queue: Queue,
  engine: OperationEngine,
  clock: Clock,
  logger: Logger,
): Caster {
  return new Caster({
    store,
    queue,
    engine,
    compose: imageCredentials(configuration, clock),
    onError: (error: unknown, stepId: StepId) => logger.warn({ err: error, stepId }, 'a step was not cast; it will be again'),
    onImpossible: (open: OpenStep, error: CloudError) => failStep(store, engine, open, error),
  })
}

/** Ends a step whose command can no longer be made. What its undo opens is cast by the sweeper. */
async function failStep(store: PgOperationStore, engine: OperationEngine, open: OpenStep, error: CloudError): Promise<void> {
  await store.transaction(async (tx) => {
    const located = await tx.lockStep(open.step.id)
    if (located?.step.state === 'open') await engine.failed(tx, located, { scope: 'request', message: error.message })
  })
}
