import {
  agentMessage,
  computeQueue,
  registrationSequence,
  reportsQueue,
  serverCommand,
  type AbandonedGuest,
  type AgentMessage,
  type GuestSeen,
  type Inventory,
  type NetworkPlan,
  type NotRegistered,
  type PasswordRecorded,
  type PowerStateCode,
  type Registered,
  type Result,
  type ServerCommand,
  type SurveyAnswer,
  type SurveyedServer,
} from '@nubo/contract'
import { sampleInventory } from '@nubo/database/testing'
import { newId, systemRandom, type HostId, type Id, type ServerId, type SessionId } from '@nubo/kernel'
import type { Queue, Subscription } from '@nubo/queue'

export interface ScriptedHostOptions {
  name: string
  memoryMiB: number
  vcpus?: number
  diskGiB?: number
  overheadMiB?: number
}

/** What a command comes to; undefined: no answer at all. */
export type Answering = (command: ServerCommand) => Result['outcome'] | undefined

const off: PowerStateCode = 4
const running: PowerStateCode = 1
const powerAfter: Record<ServerCommand['kind'], PowerStateCode> = {
  build: running,
  start: running,
  reboot: running,
  stop: off,
  'attach-interface': running,
  'detach-interface': running,
  destroy: 0,
}

/** Does at once whatever it is told. */
export const obedient: Answering = (command) => ({ state: 'done', powerState: powerAfter[command.kind] })

/** A host that speaks the contract and does what a test says: it has no guests, so its answers can be anything. Asked what lies on it, it tells of what it was told and said to have done. */
export class ScriptedHost {
  readonly id = newId<HostId>(systemRandom)
  /** Every command that arrived, repetitions included. */
  readonly commands: ServerCommand[] = []
  readonly acknowledged: { serverId: ServerId; fence: number }[] = []
  /** Guests' passwords of which it was told that they are on record. */
  readonly passwordsRecorded: PasswordRecorded[] = []
  /** Sessions that the conductor did not know any more. */
  readonly refusedSessions: SessionId[] = []
  answering: Answering = obedient
  bootId = 'first boot'
  fencingEpoch = 0
  agentId = newId<Id<'agent'>>(systemRandom)
  /** Why it asks to be looked at; null: it does not. */
  quarantine: string | null = null
  /** Whether it was told that somebody has. */
  released = false
  /** What it was told to remove when it registered, whether it was let in or not. */
  toRemove: AbandonedGuest[] = []
  /** Why it was not let in when it registered last. */
  refusal: string | undefined
  sessionId: SessionId | undefined
  /** What it was told that its networks are to be, oldest first. */
  readonly plans: NetworkPlan[] = []
  /** What it cannot do of them; null: it does as it is told. */
  networkTrouble: string | null = null
  /** What it says lies on it. */
  readonly lying = new Map<ServerId, SurveyedServer>()
  private subscriptions: Subscription[] = []
  private sequence: number = registrationSequence
  private awaitingRegistration: ((session: SessionId | undefined) => void) | undefined

  constructor(
    private readonly queue: Queue,
    private readonly options: ScriptedHostOptions,
  ) {}

  /** Registers and waits for the answer, whichever it is. */
  async start(guests: Omit<GuestSeen, 'sequence'>[] = []): Promise<void> {
    this.listen()
    const registered = new Promise<SessionId | undefined>((resolve) => (this.awaitingRegistration = resolve))
    await this.queue.cast(reportsQueue, {
      kind: 'register',
      registrationId: newId<Id<'registration'>>(systemRandom),
      hostId: this.id,
      hostName: this.options.name,
      address: '127.0.0.1',
      bootId: this.bootId,
      fencingEpoch: this.fencingEpoch,
      agentId: this.agentId,
      quarantine: this.quarantine,
      inventory: this.inventory(),
      guests: guests.map((guest) => ({ ...guest, sequence: registrationSequence })),
    })
    this.sessionId = await registered
  }

  async heartbeat(guests: Omit<GuestSeen, 'sequence'>[] = []): Promise<void> {
    const seen = guests.map((guest) => ({ ...guest, sequence: this.nextSequence() }))
    await this.queue.cast(reportsQueue, {
      kind: 'heartbeat',
      hostId: this.id,
      sessionId: this.sessionId,
      sequence: this.nextSequence(),
      inventory: this.inventory(),
      guests: seen,
    })
  }

  /** Of what it sees now. */
  nextSequence(): number {
    return ++this.sequence
  }

  async report(message: Record<string, unknown>): Promise<void> {
    await this.queue.cast(reportsQueue, { hostId: this.id, sessionId: this.sessionId, sequence: this.nextSequence(), ...message })
  }

  async answer(command: ServerCommand, outcome: Result['outcome']): Promise<void> {
    const { stepId, operationId, serverId, incarnation, fence } = command
    await this.report({ kind: 'result', stepId, operationId, serverId, incarnation, fence, outcome })
  }

  async stop(): Promise<void> {
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.close()))
  }

  /** From now on a guest of this incarnation lies here, whatever anybody was told. */
  layDown(serverId: ServerId, incarnation: number): void {
    const domain = { incarnation, fencingEpoch: 1, powerState: running }
    this.lying.set(serverId, { serverId, domain, folders: [{ incarnation, bytes: 1 }], journal: null })
  }

  private listen(): void {
    if (this.subscriptions.length > 0) return
    const name = computeQueue(this.id)
    this.subscriptions = [
      this.queue.work(name, (message) => this.take(agentMessage.parse(message)), { concurrency: 16 }),
      this.queue.answer(name, async () => ({ ok: true, value: this.survey() })),
    ]
  }

  private survey(): SurveyAnswer {
    return { servers: [...this.lying.values()], next: null, images: { count: 0, bytes: 0 }, freeBytes: 0, strays: [] }
  }

  private note({ kind, serverId, incarnation }: ServerCommand, { state }: Result['outcome']): void {
    if (state !== 'done') return
    if (kind === 'build') this.layDown(serverId, incarnation)
    if (kind === 'destroy' && (this.lying.get(serverId)?.domain?.incarnation ?? 0) <= incarnation) this.lying.delete(serverId)
  }

  private async take(message: AgentMessage): Promise<void> {
    if (message.kind === 'registered' || message.kind === 'not-registered') return this.onRegistration(message)
    if (message.kind === 'unknown-session') return void this.refusedSessions.push(message.sessionId)
    if (message.kind === 'acknowledge') return void this.acknowledged.push(...message.results)
    if (message.kind === 'password-recorded') return void this.passwordsRecorded.push(message)
    if (message.kind === 'network-plan') return await this.carry(message)
    const command = serverCommand.parse(message)
    this.commands.push(command)
    const outcome = this.answering(command)
    if (!outcome) return
    this.note(command, outcome)
    await this.answer(command, outcome)
  }

  private async carry(plan: NetworkPlan): Promise<void> {
    this.plans.push(plan)
    const nothing = { troubled: [], warning: null }
    await this.report({ kind: 'network-plan-applied', revision: plan.revision, trouble: this.networkTrouble, ...nothing })
  }

  private onRegistration(answer: Registered | NotRegistered): void {
    this.fencingEpoch = answer.fencingEpoch
    this.toRemove = answer.remove
    this.released = answer.kind === 'registered' && answer.release
    this.refusal = answer.kind === 'not-registered' ? answer.reason : undefined
    this.awaitingRegistration?.(answer.kind === 'registered' ? answer.sessionId : undefined)
  }

  private inventory(): Inventory {
    const { vcpus = 1_000, memoryMiB, diskGiB = 100_000, overheadMiB = 0 } = this.options
    const size = { totalVcpus: vcpus, totalMemoryMiB: memoryMiB, totalDiskGiB: diskGiB, overheadMiB }
    return { ...sampleInventory, ...size, virtType: 'simulated', virtTypeReason: 'a test plays this host' }
  }
}
