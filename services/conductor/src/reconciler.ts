import { placementQueue, reportsQueue } from '@nubo/contract'
import { Examiner, repair, type RepairTools } from '@nubo/control-plane'
import { findingKey, takeTurnToReconcile, type Database, type Finding, type FindingCode } from '@nubo/database'
import { Rounds, type Clock, type HostId, type Random, type Timer } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'

/** Repairs in one round at the most: what is left is found again in the next. */
const batchSize = 100
/** What a host reported when it came is taken in by then, and several that come together are looked at together. */
const afterArrivalMs = 10_000
/** What could not be mended is not tried again in every round: an operation that fails keeps others from its server meanwhile. */
const againAfterMs = 30 * 60_000

/**
 * Counters are moved by the statements that give and free, and by nothing else. One that is wrong is a defect of ours: it is
 * told, and stays for an operator to see until they mend it (`nubo doctor --repair`).
 */
const leftToOperators: ReadonlySet<FindingCode> = new Set<FindingCode>(['room.counters-differ', 'quota.use-differs'])

/** One of host and records has forgotten something, or remembers something else: nothing is removed there. */
const signsOfAnotherHistory: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'host.quarantined',
  'journal.fence-ahead',
  'journal.tombstone-on-record',
])

export interface ReconcilerOptions {
  database: Database
  queue: Queue
  clock: Clock
  random: Random
  logger: Logger
  repairs: RepairTools
  /** Between two looks at the whole cloud, whichever conductor makes them. */
  everyMs: number
  /** Told of all that a look at the whole cloud found; of nothing where another conductor had the turn. */
  onLooked: (findings: readonly Finding[]) => void
}

/**
 * Compares what is recorded with what is, and mends by record: servers, room, and what lies on hosts. The whole cloud is
 * looked over now and then by one of the conductors, and a host when it has come.
 */
export class Reconciler {
  private readonly examiner: Examiner
  private readonly arrived = new Set<HostId>()
  /** When what is still found was last tried to be mended. */
  private readonly tried = new Map<string, number>()
  private readonly rounds: Rounds
  private arrivalTimer: Timer | undefined
  private lookingAtArrived: Promise<void> = Promise.resolve()
  private readonly stopping = Promise.withResolvers<undefined>()
  private stopped = false

  constructor(private readonly options: ReconcilerOptions) {
    this.examiner = new Examiner({ ...options, queues: [placementQueue, reportsQueue] })
    const { clock, random, everyMs } = options
    this.rounds = new Rounds(() => this.reconcileInTurn(), {
      clock,
      // Jitter, so that replicas do not all ask for the turn at once.
      pauseMs: () => everyMs * (0.75 + random.fraction() / 2),
      onError: (error) => this.onError(error),
    })
  }

  start(): void {
    this.rounds.start()
  }

  /** What lies on a host that has come (back) is compared soon. */
  onArrival(hostId: HostId): void {
    if (this.stopped) return
    this.arrived.add(hostId)
    this.arrivalTimer ??= this.options.clock.after(afterArrivalMs, () => this.lookAtArrived(), { background: true })
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.stopping.resolve(undefined)
    this.arrivalTimer?.cancel()
    await Promise.all([this.rounds.stop(), this.lookingAtArrived])
  }

  /** The whole cloud, if nobody else has looked it over lately. */
  async reconcileInTurn(): Promise<void> {
    const { database, everyMs } = this.options
    if (await takeTurnToReconcile(database, everyMs / 2)) await this.reconcile()
    else this.options.onLooked([])
  }

  /** @param only the hosts that are asked; all of them where undefined. */
  async reconcile(only?: ReadonlySet<HostId>): Promise<void> {
    // A look may wait for hosts; nobody who is to stop waits for a look.
    const examination = await Promise.race([this.examiner.examine(only), this.stopping.promise])
    if (!examination) return
    if (!only) {
      this.forgetMended(examination.findings)
      this.options.onLooked(examination.findings)
    }
    await this.settle(examination.findings)
  }

  private async settle(findings: readonly Finding[]): Promise<void> {
    const inDoubt = new Set(findings.filter(({ code }) => signsOfAnotherHistory.has(code)).map(({ about }) => about.hostId))
    const mayBeMended = ({ code, about, repair: { possible } }: Finding) =>
      possible && !leftToOperators.has(code) && !(about.hostId && inDoubt.has(about.hostId))
    const [mendable, others] = [findings.filter(mayBeMended), findings.filter((finding) => !mayBeMended(finding))]
    for (const { code, about, message } of others) this.options.logger.warn({ code, ...about }, `left to an operator: ${message}`)
    for (const finding of mendable.filter((each) => this.isDue(each)).slice(0, batchSize)) {
      if (this.stopped) return
      await this.mend(finding)
    }
  }

  private isDue(finding: Finding): boolean {
    const triedMs = this.tried.get(findingKey(finding))
    return triedMs === undefined || this.options.clock.monotonicMs() - triedMs >= againAfterMs
  }

  private forgetMended(findings: readonly Finding[]): void {
    const found = new Set(findings.map(findingKey))
    for (const key of this.tried.keys()) if (!found.has(key)) this.tried.delete(key)
  }

  private async mend(finding: Finding): Promise<void> {
    const { logger, repairs } = this.options
    const { code, about, message } = finding
    this.tried.set(findingKey(finding), this.options.clock.monotonicMs())
    try {
      const outcome = await repair(finding, repairs)
      logger.warn({ code, ...about, mended: outcome.mended }, `${message} ${outcome.message}`)
    } catch (error) {
      logger.error({ err: error, code, ...about }, `could not be mended, and will be looked at again: ${message}`)
    }
  }

  private lookAtArrived(): void {
    this.arrivalTimer = undefined
    const hosts = new Set(this.arrived)
    this.arrived.clear()
    this.lookingAtArrived = this.reconcile(hosts).catch((error: unknown) => this.onError(error))
  }

  private onError(error: unknown): void {
    this.options.logger.error({ err: error }, 'the cloud could not be looked over')
  }
}
