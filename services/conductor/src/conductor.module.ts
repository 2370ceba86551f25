import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { networksHint, operationsQueue, reportsQueue } from '@nubo/contract'
import { CASTER, ControlPlaneModule, DATABASE, ENGINE, OPERATION_STORE, Presence, QUEUE } from '@nubo/control-plane'
import type { Database, PgOperationStore } from '@nubo/database'
import { newId, type Clock, type Id, type Random, type RequestId } from '@nubo/kernel'
import type { Message, Queue, Subscription } from '@nubo/queue'
import { CLOCK, LOGGER, Metrics, RANDOM, type Logger } from '@nubo/service-kit'
import { Sweeper, type Caster, type OperationEngine } from '@nubo/workflow'
import { Acknowledger } from './acknowledger.js'
import { Deadlines } from './deadlines.js'
import { Fences } from './fences.js'
import { tellOfCloud } from './figures.js'
import { countingSweeps, findingFigures, resultFigures } from './work-figures.js'
import { GuestPasswords } from './guest-passwords.js'
import { Guests } from './guests.js'
import { Hearing } from './hearing.js'
import { Hosts } from './hosts.js'
import { NetworkPlans } from './network-plans.js'
import { OldAnswers } from './old-answers.js'
import { Reconciler } from './reconciler.js'
import { Reports } from './reports.js'
import { Results } from './results.js'

const sweepIntervalMs = { busy: 1_000, idle: 4_000 }
const deadlineIntervalMs = 15_000
const fenceIntervalMs = 5_000
const networkIntervalMs = 5_000
/** As for placing servers. */
const silenceMs = 30_000
/** Nothing depends on it: what it finds should not be. */
const reconcileEveryMs = 3 * 60_000
const concurrency = 32

/** Takes in what agents report, casts again what nobody took, and ends what is overdue. */
@Module({ imports: [ControlPlaneModule.with()] })
export class ConductorModule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly presence: Presence
  private readonly acknowledger: Acknowledger
  private readonly hearing: Hearing
  private readonly reports: Reports
  private readonly sweeper: Sweeper
  private readonly deadlines: Deadlines
  private readonly oldAnswers: OldAnswers
  private readonly fences: Fences
  private readonly reconciler: Reconciler
  private readonly networkPlans: NetworkPlans
  private subscriptions: Subscription[] = []

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(OPERATION_STORE) store: PgOperationStore,
    @Inject(ENGINE) engine: OperationEngine,
    @Inject(CASTER) caster: Caster,
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(CLOCK) clock: Clock,
    @Inject(RANDOM) random: Random,
    @Inject(LOGGER) logger: Logger,
    metrics: Metrics,
  ) {
    tellOfCloud({ metrics, database, queue })
    const onError = (error: unknown) => logger.error({ err: error }, 'will be tried again')
    const newRequestId = () => `req-${newId<Id<'request'>>(random)}` as RequestId
    const guests = new Guests({ database, store, engine, caster, newRequestId })
    this.acknowledger = new Acknowledger(queue, clock, onError)
    this.hearing = new Hearing({ database, queue, clock, onError })
    this.networkPlans = new NetworkPlans({ database, queue, clock, intervalMs: networkIntervalMs, silenceMs, onError })
    this.reports = new Reports({
      hosts: new Hosts({ database, queue, guests, random, castDue: () => this.sweeper.sweep() }),
      guests,
      guestPasswords: new GuestPasswords(database, queue),
      results: new Results({
        ...{ store, engine, caster, guests, acknowledger: this.acknowledger },
        onResult: resultFigures(metrics),
      }),
      networkPlans: this.networkPlans,
      hearing: this.hearing,
      onArrival: (hostId) => this.reconciler.onArrival(hostId),
      logger,
    })
    this.sweeper = new Sweeper({
      store,
      queue,
      caster: countingSweeps(metrics, caster),
      clock,
      random,
      intervalMs: sweepIntervalMs,
      onError,
    })
    this.deadlines = new Deadlines({ store, engine, clock, intervalMs: deadlineIntervalMs, onError })
    this.oldAnswers = new OldAnswers({ database, clock, onError })
    this.fences = new Fences({ database, store, engine, caster, clock, intervalMs: fenceIntervalMs, onError })
    const repairs = { store, engine, caster, newRequestId }
    this.reconciler = new Reconciler({
      ...{ database, queue, clock, random, logger, repairs, everyMs: reconcileEveryMs },
      onLooked: findingFigures(metrics),
    })
    this.presence = new Presence('nova-conductor', database, clock, logger)
  }

  onApplicationBootstrap(): void {
    this.subscriptions = [
      this.queue.work(reportsQueue, (message) => this.reports.take(message), { concurrency }),
      this.queue.work(operationsQueue, (message) => this.takeHint(message), { concurrency }),
    ]
    this.hearing.start()
    this.sweeper.start()
    this.deadlines.start()
    this.oldAnswers.start()
    this.fences.start()
    this.networkPlans.start()
    this.reconciler.start()
    this.presence.start()
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()))
    const ending = [
      this.presence.stop(),
      this.hearing.stop(),
      this.sweeper.stop(),
      this.deadlines.stop(),
      this.fences.stop(),
      this.networkPlans.stop(),
      this.oldAnswers.stop(),
      this.reconciler.stop(),
    ]
    await Promise.all([...ending, this.acknowledger.flush()])
  }

  private async takeHint(message: Message): Promise<void> {
    if (networksHint.safeParse(message).success) await this.networkPlans.settle()
  }
}
