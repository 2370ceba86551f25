import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { placementQueue, stepHint } from '@nubo/contract'
import { CASTER, ControlPlaneModule, DATABASE, ENGINE, OPERATION_STORE, Presence, QUEUE } from '@nubo/control-plane'
import type { Database, PgOperationStore } from '@nubo/database'
import type { Clock, Random, StepId } from '@nubo/kernel'
import type { Message, Queue, Subscription } from '@nubo/queue'
import { CLOCK, LOGGER, Metrics, RANDOM, type Logger } from '@nubo/service-kit'
import type { Caster, OperationEngine } from '@nubo/workflow'
import { Batcher } from './batcher.js'
import { placementFigures } from './placement-figures.js'
import { Placer } from './placer.js'

const PLACER = Symbol('placer')
/** DESIGN: a host that is silent for this long, while others are heard, gets no new servers. */
const silenceMs = 30_000
/** Hints taken at once: they gather into batches that share a snapshot. */
const concurrency = 64

const placer = {
  provide: PLACER,
  inject: [DATABASE, OPERATION_STORE, ENGINE, CASTER, RANDOM, LOGGER, Metrics],
  useFactory: (
    database: Database,
    store: PgOperationStore,
    engine: OperationEngine,
    caster: Caster,
    random: Random,
    logger: Logger,
    metrics: Metrics,
  ) =>
    new Placer({
      observer: placementFigures(metrics),
      database,
      store,
      engine,
      caster,
      random,
      silenceMs,
      onDeaf: (waiting) => logger.warn({ waiting }, 'hosts cannot be heard at the moment: placements wait'),
      onError: (error) => logger.error({ err: error }, 'a placement was not carried through; it will be tried again'),
    }),
}

/** Takes hints of open `place` steps and places their servers, in batches. */
@Module({ imports: [ControlPlaneModule.with()], providers: [placer] })
export class SchedulerModule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly presence: Presence
  private subscription: Subscription | undefined

  constructor(
    @Inject(PLACER) private readonly placer: Placer,
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(DATABASE) database: Database,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.presence = new Presence('nova-scheduler', database, clock, logger)
  }

  onApplicationBootstrap(): void {
    const batcher = new Batcher<StepId>((ids) => this.placer.place(ids))
    const take = async (message: Message) => {
      const hint = stepHint.safeParse(message)
      if (hint.success) return await batcher.add(hint.data.stepId)
      this.logger.error({ problems: hint.error.issues }, 'refused a hint that breaks the contract')
    }
    this.subscription = this.queue.work(placementQueue, take, { concurrency })
    this.presence.start()
  }

  async onModuleDestroy(): Promise<void> {
    await this.presence.stop()
    await this.subscription?.close()
  }
}
