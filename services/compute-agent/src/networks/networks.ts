import type { NetworkPlan, UnreadableUnit } from '@nubo/contract'
import { networksOf, type Applied, type HostNetwork, type Plug } from '@nubo/host-network'
import { Rounds, type Clock, type HostId, type NetworkId, type PortId } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import type { CastReport } from '../reports/cast.js'
import type { Session } from '../session.js'
import { completed } from './completed-plan.js'
import type { KeptPlan } from './kept-plan.js'

export interface NetworksOptions {
  hostId: HostId
  network: HostNetwork
  kept: KeptPlan
  session: Session
  cast: CastReport
  clock: Clock
  logger: Logger
}

/** So often is looked whether the host's networks are as they are to be. */
const mendMs = 30_000
/** While something of them is missing. */
const mendSoonMs = 5_000
/** A host that carries much looks less often: for each millisecond that a look takes it rests so many. */
const restPerLook = 50
const longestTrouble = 1_900

/** A plan as it came, with what of it breaks the contract. */
interface Told {
  plan: NetworkPlan
  unreadable: readonly UnreadableUnit[]
}

/** Where a port is waited for. */
interface Waiting {
  portId: PortId
  found: (plug: Plug) => void
}

/**
 * The host's networks as the conductors want them: the newest plan that came is kept, carried out and told of. They are as
 * they were while the agent is away, and mended when somebody else had a hand in them.
 */
export class Networks {
  private applied: Applied | undefined
  private atHand: Promise<void> | undefined
  private keeping: Promise<unknown> = Promise.resolve()
  private readonly waiting = new Set<Waiting>()
  private readonly rounds: Rounds
  private lookTookMs = 0
  /** Came under a session that was not known yet. */
  private early: Told | undefined
  /** That something came which is no plan; until one comes. */
  private unread: string | undefined

  constructor(private readonly options: NetworksOptions) {
    const { clock, logger } = options
    this.rounds = new Rounds(() => this.mend(), {
      clock,
      pauseMs: () => Math.max(this.applied?.trouble === undefined ? mendMs : mendSoonMs, this.lookTookMs * restPerLook),
      onError: (error) => logger.error({ err: error }, 'the networks could not be mended'),
    })
  }

  /** Carries out what was told to an earlier agent, whoever can be reached. */
  start(): void {
    if (this.options.kept.plan) void this.settle()
    this.rounds.start()
  }

  /** Leaves the networks as they are. */
  async stop(): Promise<void> {
    await this.rounds.stop()
    await this.atHand
    await this.options.network.close()
  }

  /**
   * A plan is of the session in which it was cast. One that is older than what the host carries says nothing any more. Units that
   * cannot be read stay as they were in the plan before.
   */
  async take(plan: NetworkPlan, unreadable: readonly UnreadableUnit[] = []): Promise<void> {
    if (plan.sessionId !== this.options.session.id) return this.holdEarly({ plan, unreadable })
    this.unread = undefined
    const keeping = this.keeping.then(() => this.keep({ plan, unreadable }))
    this.keeping = keeping.catch(() => undefined)
    if (await keeping) await this.settle()
    else await this.tell()
  }

  /** What came as a plan is none that this agent knows: the host goes on as it is, and says so. */
  async takeUnreadable(): Promise<void> {
    this.unread = 'A plan came that this agent cannot read: is it of another version than the conductors?'
    this.applied ??= { revision: 0 }
    await this.tell()
  }

  /** A session has begun: what came under it before it was known is taken now. */
  onSession(): void {
    const { early } = this
    this.early = undefined
    if (early)
      void this.take(early.plan, early.unreadable).catch((err: unknown) =>
        this.options.logger.error({ err }, 'a plan of the networks could not be kept'),
      )
  }

  /** Where the port is plugged in, as soon as the host carries it. Rejects with the signal's reason. */
  async whenPlugged(portId: PortId, signal: AbortSignal): Promise<Plug> {
    signal.throwIfAborted()
    const plug = this.options.network.plug(portId)
    if (plug) return plug
    const { promise, resolve, reject } = Promise.withResolvers<Plug>()
    const waiting = { portId, found: resolve }
    const onAbort = () => reject(signal.reason)
    this.waiting.add(waiting)
    signal.addEventListener('abort', onAbort, { once: true })
    return await promise.finally(() => {
      this.waiting.delete(waiting)
      signal.removeEventListener('abort', onAbort)
    })
  }

  /**
   * False for what the host carries already, or what a later plan has overtaken. One after the other: whichever the disk is done
   * with first, the newest one is kept.
   */
  private async keep({ plan, unreadable }: Told): Promise<boolean> {
    const { kept } = this.options
    if (this.isOld(plan)) return false
    await kept.keep(
      completed(plan, unreadable, kept.plan),
      unreadable.map(({ why }) => why),
    )
    return true
  }

  /** Revisions are counted anew for a host that was forgotten and comes again: they say nothing about those of another session. */
  private isOld({ sessionId, revision }: NetworkPlan): boolean {
    const { plan } = this.options.kept
    if (plan?.sessionId !== sessionId) return false
    return revision < plan.revision || (revision === plan.revision && this.applied?.revision === revision)
  }

  private holdEarly(told: Told): void {
    if ((this.early?.plan.revision ?? 0) <= told.plan.revision) this.early = told
  }

  /** Of plans that come while one is being carried out, the newest alone is carried out after it. */
  private async settle(): Promise<void> {
    this.atHand ??= this.settleUntilNewest().finally(() => (this.atHand = undefined))
    await this.atHand
  }

  private async settleUntilNewest(): Promise<void> {
    const { kept, network, logger } = this.options
    let plan: NetworkPlan | undefined
    while (plan !== kept.plan) {
      plan = kept.plan!
      try {
        this.note(await network.apply(plan))
      } catch (error) {
        logger.error({ err: error, revision: plan.revision }, 'a plan of the networks could not be carried out')
        this.note({ revision: plan.revision, trouble: 'Something went wrong on the host; its log says what.' })
      }
      await this.tell()
    }
  }

  private async mend(): Promise<void> {
    if (!this.applied || this.atHand) return
    const { network, clock } = this.options
    const [before, beganMs] = [this.applied, clock.monotonicMs()]
    this.note(await network.mend())
    this.lookTookMs = clock.monotonicMs() - beganMs
    if (this.applied.trouble !== before.trouble || this.applied.warning !== before.warning) await this.tell()
  }

  private note(applied: Applied): void {
    const { logger, network } = this.options
    if (applied.trouble !== this.applied?.trouble && applied.trouble !== undefined)
      logger.warn({ revision: applied.revision, trouble: applied.trouble }, 'something of the networks is missing')
    if (applied.warning !== this.applied?.warning && applied.warning !== undefined)
      logger.warn({ revision: applied.revision, warning: applied.warning }, 'the networks work worse than they could')
    this.applied = applied
    for (const { portId, found } of this.waiting) {
      const plug = network.plug(portId)
      if (plug) found(plug)
    }
  }

  /**
   * Says how the networks are. What is lost of it is asked for again, as the conductors tell the plan until they hear of it, or
   * said again: what a look has found nobody waits for.
   */
  async tell(): Promise<void> {
    const { hostId, session, cast } = this.options
    const { id: sessionId } = session
    if (!this.applied || !sessionId) return
    const { revision, warning = null } = this.applied
    const count = { sessionId, sequence: session.nextSequence() }
    await cast({ kind: 'network-plan-applied', hostId, ...count, revision, warning, ...this.troubles() })
  }

  /** What could not be read and what could not be done, and the networks that it is about, where that is known of all of it. */
  private troubles(): { trouble: string | null; troubled: NetworkId[] } {
    const { missing, plan } = this.options.kept
    const { trouble, troubled = [] } = this.applied!
    const texts = [this.unread, ...missing, trouble].filter((text) => text !== undefined)
    if (texts.length === 0) return { trouble: null, troubled: [] }
    const ofMissing = plan && networksOf(missing, plan)
    const isKnown = this.unread === undefined && ofMissing && (trouble === undefined || troubled.length > 0)
    const all = texts.join('; ').slice(0, longestTrouble)
    return { trouble: all, troubled: isKnown ? [...new Set([...ofMissing, ...troubled])] : [] }
  }
}
