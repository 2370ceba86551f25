import { computeQueue, type NetworkPlanApplied } from '@nubo/contract'
import {
  duePlansAtOnce,
  networksNeedWork,
  placeRouters,
  raisePlans,
  readHostPlan,
  recordApplied,
  settleFencedNetworks,
  takeDuePlans,
  type Database,
} from '@nubo/database'
import { Rounds, type Clock, type HostId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

/** A plan is long: a host that takes nothing of so much that it was told is told no more of them until it does. */
const mostUntaken = 500

export interface NetworkPlansOptions {
  database: Database
  queue: Queue
  clock: Clock
  /** What was not heard of, and hosts that did not answer, are looked for this often. */
  intervalMs: number
  /** A host that was silent for so long while others were heard is told nothing until it comes back. */
  silenceMs: number
  onError: (error: unknown) => void
}

/**
 * Tells hosts what their networks are to be: takes out what changed, raises the plans of the hosts that it concerns, and
 * casts each plan until its host says that it carries it (docs/decisions/0015). Any number may run side by side.
 */
export class NetworkPlans {
  private readonly rounds: Rounds
  private atHand: Promise<void> | undefined
  private isAskedAgain = false
  private isStopping = false

  constructor(private readonly options: NetworkPlansOptions) {
    const { clock, intervalMs, onError } = options
    this.rounds = new Rounds(() => this.lookOver(), { clock, pauseMs: intervalMs, onError })
  }

  start(): void {
    this.rounds.start()
  }

  async stop(): Promise<void> {
    this.isStopping = true
    await this.rounds.stop()
    await this.atHand?.catch(() => undefined)
  }

  /** Something changed. What comes while this is under way is seen to once, after it. */
  async settle(): Promise<void> {
    if (this.atHand) {
      this.isAskedAgain = true
      return await this.atHand
    }
    this.atHand = this.settleUntilQuiet().finally(() => (this.atHand = undefined))
    await this.atHand
  }

  async applied(report: NetworkPlanApplied): Promise<void> {
    await recordApplied(this.options.database, report)
  }

  private async lookOver(): Promise<void> {
    const { database, silenceMs } = this.options
    if (!(await networksNeedWork(database, silenceMs))) return
    await settleFencedNetworks(database)
    await this.settle()
  }

  private async settleUntilQuiet(): Promise<void> {
    do {
      this.isAskedAgain = false
      while (await this.raise());
      // A change may concern more hosts than are told at once.
    } while ((await this.tellHosts()) || this.isAskedAgain)
  }

  /** True while there may be more. */
  private async raise(): Promise<boolean> {
    const { database, silenceMs } = this.options
    return await database.transaction(async (tx) => {
      await placeRouters(tx, silenceMs)
      return await raisePlans(tx)
    })
  }

  /** True while there may be more. */
  private async tellHosts(): Promise<boolean> {
    const { database, silenceMs, onError } = this.options
    const hosts = await takeDuePlans(database, silenceMs)
    for (const told of await Promise.allSettled(hosts.map((hostId) => this.tell(hostId)))) {
      if (told.status === 'rejected') onError(told.reason)
    }
    return hosts.length === duePlansAtOnce && !this.isStopping
  }

  private async tell(hostId: HostId): Promise<void> {
    const { database, queue } = this.options
    if ((await queue.depth(computeQueue(hostId))) >= mostUntaken) return
    const plan = await database.snapshot((db) => readHostPlan(db, hostId))
    if (plan) await queue.cast(computeQueue(hostId), plan)
  }
}
