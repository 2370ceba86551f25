import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common'
import { claimRegistration, Database, findHostKey, PgOperationStore, recordRefusals } from '@nubo/database'
import type { Clock, CloudError, Random, StepId } from '@nubo/kernel'
import { BullMqQueue, observed, type Queue, type Seal } from '@nubo/queue'
import { CLOCK, CONFIGURATION, Health, LOGGER, Metrics, poolMetrics, queueMetrics, RANDOM, type Logger } from '@nubo/service-kit'
import { Caster, OperationEngine, operations, type OpenStep } from '@nubo/workflow'
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
  { provide: OPERATION_STORE, inject: [DATABASE], useFactory: (database: Database) => new PgOperationStore(database) },
  { provide: CASTER, inject: [CONFIGURATION, OPERATION_STORE, QUEUE, ENGINE, CLOCK, LOGGER], useFactory: makeCaster },
]

function makeSeal({ hostCommands }: ControlPlaneConfiguration, database: Database, refusals: HostRefusals, clock: Clock): Seal {
  return new ControlPlaneSeal({
    commandKey: createPrivateKey(readFileSync(hostCommands.privateKeyFile, 'utf8')),
    hostKeys: new HostKeyRing((hostId) => findHostKey(database, hostId), clock),
    refusals,
    claimRegistration: (hostId, publicKey, number) => claimRegistration(database, hostId, publicKey, number),
  })
}

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
