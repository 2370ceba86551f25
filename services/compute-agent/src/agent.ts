import {
  agentMessage,
  computeQueue,
  readNetworkPlan,
  registrationSequence,
  type AgentMessage,
  type NotRegistered,
  type Registered,
  type ServerCommand,
} from '@nubo/contract'
import type { HostNetwork } from '@nubo/host-network'
import { HypervisorInTime, type Hypervisor } from '@nubo/hypervisor'
import { newId, type Clock, type HostId, type Id, type Random, type ServerId, type Timer } from '@nubo/kernel'
import type { Message, Queue, Subscription } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import { answerWith } from './answers.js'
import { Intake } from './commands/intake.js'
import type { AgentConfiguration } from './configuration.js'
import { Executor } from './executor.js'
import type { DiskMaker } from './guests/disk-maker.js'
import type { GuestFiles } from './guests/guest-files.js'
import type { Images } from './images/image-cache.js'
import type { HostRecord } from './host-record.js'
import { inventoryOf } from './inventory.js'
import type { Journal, Outcome } from './journal.js'
import type { KeptPlan } from './networks/kept-plan.js'
import { Networks } from './networks/networks.js'
import { Removals } from './removals.js'
import { reportsTo, type CastReport } from './reports/cast.js'
import { Heartbeat } from './reports/heartbeat.js'
import { Observer } from './reports/observer.js'
import { Passwords } from './reports/passwords.js'
import { Registration } from './reports/registration.js'
import { Results } from './reports/results.js'
import { Session } from './session.js'

export interface AgentParts {
  configuration: Pick<AgentConfiguration, 'host'>
  queue: Queue
  hypervisor: Hypervisor
  network: HostNetwork
  networkPlan: KeptPlan
  guests: GuestFiles
  disks: DiskMaker
  images: Images
  journal: Journal
  record: HostRecord
  bootId: string
  uptimeSeconds: () => number
  clock: Clock
  random: Random
  logger: Logger
  /** Told of every command that ended. */
  onCommandEnded?: (command: ServerCommand, outcome: Outcome) => void
}

const concurrency = 32
/** Commands that arrive while a registration is under way may be of the session that it brings. */
const heldAtMost = 1_000
/** After so long without a word under our session, a command of another one says that ours is over. */
const foreignSessionMs = 20_000
/** Well before the process is ended: a hypervisor that does not answer is not waited for. */
const stopWithinMs = 5_000

/** One host's agent: takes commands, carries them out, tells what is. */
export class Agent {
  private readonly session = new Session()
  private readonly executor = new Executor()
  private readonly cast: CastReport
  private readonly intake: Intake
  private readonly removals: Removals
  private readonly observer: Observer
  private readonly results: Results
  private readonly passwords: Passwords
  private readonly networks: Networks
  private readonly registration: Registration
  private readonly heartbeat: Heartbeat
  private readonly hostId: HostId
  private readonly agentId: Id<'agent'>
  private subscriptions: Subscription[] = []
  private held: ServerCommand[] = []
  private suspicion: Timer | undefined

  private readonly parts: AgentParts

  constructor(given: AgentParts) {
    const parts = (this.parts = { ...given, hypervisor: new HypervisorInTime(given.hypervisor, given.clock) })
    const { configuration, queue, hypervisor, guests, disks, images, journal, record, clock, random, logger } = parts
    const { network, networkPlan: kept } = parts
    const { session, executor } = this
    const hostId = (this.hostId = configuration.host.id as HostId)
    this.agentId = newId(random)
    const cast = (this.cast = reportsTo(queue, logger))
    const look: Observer['powerOf'] = (...guest) => this.observer.powerOf(...guest)
    this.results = new Results({ hostId, journal, session, look, cast, clock })
    this.passwords = new Passwords({ hostId, guests, session, cast })
    this.networks = new Networks({ hostId, network, kept, session, cast, clock, logger })
    this.observer = new Observer({ hostId, hypervisor, guests, executor, session, cast, logger })
    this.intake = new Intake({
      ...{ journal, record, executor, session, clock, logger },
      tools: { hypervisor, guests, disks, images, networks: this.networks, clock },
      onEnded: (command, outcome) => {
        const { serverId, incarnation } = command
        const { powerState } = outcome
        this.parts.onCommandEnded?.(command, outcome)
        this.observer.noteTold([{ serverId, incarnation, powerState }])
        void this.results.send(serverId)
        this.observer.lookSoon(serverId)
      },
      onAskedAgain: (serverId) => void this.results.send(serverId),
    })
    this.removals = new Removals({
      ...{ hostId, hypervisor, guests, journal, record, executor, cast, clock, logger },
      intake: this.intake,
    })
    this.registration = new Registration({ queue, clock, random, logger, register: (id) => this.register(id) })
    this.heartbeat = new Heartbeat({ clock, logger, beat: (withGuests) => this.beat(withGuests) })
  }

  /** True while the cloud lets this host take part. */
  get isRegistered(): boolean {
    return this.session.id !== undefined && this.refusal === undefined
  }

  /** Why the cloud does not let this host take part, where it says so. */
  get refusal(): string | undefined {
    return this.registration.refusal
  }

  /** Starts to listen, and registers. Nothing is done to any guest before the answer came. */
  start(): void {
    const { queue, hypervisor, guests } = this.parts
    const name = computeQueue(this.hostId)
    hypervisor.watch((event) => {
      this.observer.onEvent(event)
      if (event.kind === 'reconnected') void this.settle()
    })
    this.subscriptions = [
      queue.work(name, (message) => this.take(message), { concurrency }),
      queue.answer(name, answerWith(this.parts)),
    ]
    guests.watchPasswords((record) => void this.passwords.tell(record))
    this.networks.start()
    this.registration.begin()
  }

  /**
   * Lets go of everything. What the hypervisor is at is waited for and told, within bounds; what is still under way then is
   * taken up again by the next agent.
   */
  async stop(): Promise<void> {
    this.registration.stop()
    this.heartbeat.stop()
    this.suspicion?.cancel()
    // First: a command that is taken when nothing is begun any more would be heard of only when it is asked for again.
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()))
    const enough = new AbortController()
    const ended = Promise.all([this.intake.stop().then(() => this.results.stop()), this.networks.stop()])
    const late = this.parts.clock.sleep(stopWithinMs, enough.signal).catch(() => undefined)
    await Promise.race([ended, late]).finally(() => enough.abort())
  }

  private async take(message: Message): Promise<void> {
    const parsed = agentMessage.safeParse(message)
    if (parsed.success) return await this.handle(parsed.data)
    this.parts.logger.error({ problems: parsed.error.issues }, 'refused a message that breaks the contract')
    if (message.kind === 'network-plan') await this.takeBrokenPlan(message)
  }

  /** One unit of a plan that breaks the contract does not keep the others from this host. */
  private async takeBrokenPlan(message: Message): Promise<void> {
    const read = readNetworkPlan(message)
    if (read) await this.networks.take(read.plan, read.unreadable)
    else await this.networks.takeUnreadable()
  }

  private async handle(message: AgentMessage): Promise<void> {
    switch (message.kind) {
      case 'registered':
      case 'not-registered':
        return await this.onRegistration(message)
      case 'unknown-session':
        if (message.sessionId === this.session.id) this.registration.begin()
        return
      case 'acknowledge':
        await Promise.all(message.results.map(({ serverId, fence }) => this.parts.journal.acknowledge(serverId, fence)))
        return
      case 'password-recorded':
        return this.passwords.onRecorded(message)
      case 'network-plan':
        return await this.networks.take(message)
      default:
        return this.onCommand(message)
    }
  }

  private onCommand(command: ServerCommand): void {
    if (command.sessionId === this.session.id) {
      this.suspicion?.cancel()
      this.suspicion = undefined
      return this.intake.take(command)
    }
    if (this.registration.isPending) {
      if (this.held.length < heldAtMost) this.held.push(command)
      return
    }
    this.parts.logger.warn({ serverId: command.serverId, kind: command.kind }, 'refused a command of another session')
    this.suspicion ??= this.parts.clock.after(foreignSessionMs, () => this.onForeignSession(), { background: true })
  }

  /** Somebody commands this host under a session that it does not know, and nobody under the one it has. */
  private onForeignSession(): void {
    this.suspicion = undefined
    this.registration.begin()
  }

  private async register(registrationId: string): Promise<void> {
    const { configuration, hypervisor, bootId, record, uptimeSeconds, networkPlan } = this.parts
    const inventory = inventoryOf(configuration, await hypervisor.describe(), uptimeSeconds())
    await this.removals.ofWhatIsDestroyed()
    const guests = await this.observer.survey()
    this.observer.noteTold(guests)
    const { name, address } = configuration.host
    const identity = {
      registrationId,
      hostId: this.hostId,
      hostName: name,
      address,
      bootId,
      agentId: this.agentId,
      ...record.toldOf,
      carriesNetworks: networkPlan.plan !== undefined,
    }
    const seen = guests.map((guest) => ({ ...guest, sequence: registrationSequence }))
    if (!(await this.cast({ kind: 'register', ...identity, inventory, guests: seen })))
      throw new Error('the queue cannot be reached')
  }

  /** What the answer says of guests comes first: nothing else is done before they are gone. */
  private async onRegistration(answer: Registered | NotRegistered): Promise<void> {
    const { record, logger } = this.parts
    if (!this.registration.isAwaited(answer)) return this.onAnswerToAnother(answer)
    if (answer.fencingEpoch < record.fencingEpoch) {
      const { fencingEpoch: told } = answer
      return logger.error({ told, known: record.fencingEpoch }, 'refused an answer of an epoch of this host that is over')
    }
    await record.enterEpoch(answer.fencingEpoch)
    await this.removals.ofAbandoned(answer.remove)
    // Another try may have been made meanwhile: its answer is the one that counts.
    if (!this.registration.isAwaited(answer)) return
    if (answer.kind === 'not-registered') return this.registration.refuse(answer.reason)
    if (answer.release) await record.release()
    this.registration.settle()
    this.beginSession(answer)
  }

  /**
   * Another agent registers as this host. One that was before us may have, and its answer was left behind; if it is alive, we
   * have no session any more, or are both refused.
   */
  private onAnswerToAnother(answer: Registered | NotRegistered): void {
    if (this.registration.isOurs(answer)) return
    if (answer.kind === 'not-registered' && this.registration.isPending) return this.registration.refuse(answer.reason)
    if (this.session.id) this.registration.begin()
  }

  private beginSession(answer: Registered): void {
    const isFirst = this.session.id === undefined
    this.session.begin(answer)
    this.parts.logger.info({ sessionId: answer.sessionId, fencingEpoch: answer.fencingEpoch }, 'registered')
    if (isFirst) this.heartbeat.start()
    this.networks.onSession()
    void this.results.sendAll()
    this.passwords.onSession()
    void this.settle()
    for (const command of this.held.splice(0)) this.onCommand(command)
  }

  /** After events were missed: what was destroyed stays destroyed, and what changed is told. */
  private async settle(): Promise<void> {
    try {
      await this.removals.ofWhatIsDestroyed()
      if (this.isRegistered) await this.observer.lookAtAll()
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'the host could not be looked over; its heartbeats will')
    }
  }

  /** Of a guest that is being changed its command's result tells, when that is committed. */
  private settled<T extends { serverId: ServerId }>(guests: readonly T[]): T[] {
    const untold = new Set(this.parts.journal.unacknowledged())
    return guests.filter(({ serverId }) => !untold.has(serverId) && !this.intake.isBusy(serverId))
  }

  private async beat(withGuests: boolean): Promise<void> {
    const { configuration, hypervisor, uptimeSeconds, journal, images } = this.parts
    if (!this.session.id || this.registration.isPending) return
    if (!journal.takesNotes) await journal.mustTakeNotes()
    const [sessionId, sequence] = [this.session.id, this.session.nextSequence()]
    // Asked every time: it is also how we know that the hypervisor answers.
    const guests = await this.observer.survey()
    const inventory = inventoryOf(configuration, await hypervisor.describe(), uptimeSeconds())
    const seen = withGuests ? this.settled(guests).map((guest) => ({ ...guest, sequence })) : []
    await this.cast({ kind: 'heartbeat', hostId: this.hostId, sessionId, sequence, inventory, guests: seen })
    if (!withGuests) return
    await this.passwords.tellAll()
    await this.networks.tell()
    await this.observer.lookAtAll()
    await journal.forgetOldTombstones()
    // Disks grow while guests write.
    await images.makeRoom(0)
  }
}
