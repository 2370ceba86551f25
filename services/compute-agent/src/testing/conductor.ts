import {
  computeQueue,
  report,
  reportsQueue,
  type AbandonedGuest,
  type GuestChanged,
  type GuestPassword,
  type GuestsRemoved,
  type NetworkPlanApplied,
  type Heartbeat,
  type Register,
  type Report,
  type Result,
  type ServerCommand,
} from '@nubo/contract'
import {
  newId,
  systemRandom,
  type HostId,
  type Id,
  type OperationId,
  type RequestId,
  type ServerId,
  type SessionId,
  type StepId,
} from '@nubo/kernel'
import type { Queue, Subscription } from '@nubo/queue'
import { eventually } from './eventually.js'

type Order = Pick<ServerCommand, 'kind' | 'serverId'> & Partial<Record<string, unknown>>

/** The other end of an agent: answers registrations, gives commands, and keeps what it is told. */
export class Conductor {
  readonly reports: Report[] = []
  sessionId: SessionId | undefined
  fencingEpoch = 1
  /** What registrations are told to remove. */
  remove: AbandonedGuest[] = []
  /** Whether registrations are told that somebody has looked. */
  release = false
  /** Why registrations are refused; undefined: they are not. */
  refusal: string | undefined
  /** Whether registrations are answered. */
  answers = true
  /** Whether results are acknowledged. */
  acknowledges = true
  private readonly fences = new Map<ServerId, number>()
  private readonly subscription: Subscription

  constructor(
    private readonly queue: Queue,
    private readonly hostId: HostId,
  ) {
    this.subscription = queue.work(reportsQueue, (message) => this.take(report.parse(message)), { concurrency: 8 })
  }

  /** Commands the host under the next fence, or the one given. */
  async command(order: Order): Promise<ServerCommand> {
    const fence = (order.fence as number | undefined) ?? (this.fences.get(order.serverId) ?? 0) + 1
    this.fences.set(order.serverId, Math.max(fence, this.fences.get(order.serverId) ?? 0))
    const command = {
      stepId: newId<StepId>(systemRandom),
      operationId: newId<OperationId>(systemRandom),
      requestId: `req-${newId<Id<'request'>>(systemRandom)}` as RequestId,
      incarnation: 1,
      sessionId: this.sessionId ?? newId<SessionId>(systemRandom),
      fencingEpoch: this.fencingEpoch,
      timeoutMs: 120_000,
      nics: [],
      ...order,
      fence,
    } as ServerCommand
    await this.repeat(command)
    return command
  }

  async repeat(command: ServerCommand): Promise<void> {
    await this.queue.cast(computeQueue(this.hostId), command)
  }

  /** Commands, and waits for how it ended. */
  async done(order: Order, withinMs = 60_000): Promise<Result['outcome']> {
    return (await this.resultOf(await this.command(order), withinMs)).outcome
  }

  async resultOf({ serverId, fence }: ServerCommand, withinMs = 60_000): Promise<Result> {
    const isIt = (each: Result) => each.serverId === serverId && each.fence === fence
    return await eventually(() => this.all('result').find(isIt), { withinMs })
  }

  all(kind: 'result'): Result[]
  all(kind: 'register'): Register[]
  all(kind: 'heartbeat'): Heartbeat[]
  all(kind: 'guest-changed'): GuestChanged[]
  all(kind: 'guests-removed'): GuestsRemoved[]
  all(kind: 'guest-password'): GuestPassword[]
  all(kind: 'network-plan-applied'): NetworkPlanApplied[]
  all(kind: Report['kind']): Report[] {
    return this.reports.filter((each) => each.kind === kind)
  }

  async close(): Promise<void> {
    await this.subscription.close()
  }

  private async take(taken: Report): Promise<void> {
    this.reports.push(taken)
    if (taken.kind === 'register' && this.answers) await this.answerRegistration(taken.registrationId)
    if (taken.kind === 'result' && this.acknowledges) {
      const results = [{ serverId: taken.serverId, fence: taken.fence }]
      await this.queue.cast(computeQueue(this.hostId), { kind: 'acknowledge', results })
    }
  }

  async answerRegistration(registrationId: string): Promise<void> {
    const { hostId, fencingEpoch, remove, refusal } = this
    const answer = { hostId, registrationId, fencingEpoch, remove }
    if (refusal) return await this.queue.cast(computeQueue(hostId), { kind: 'not-registered', ...answer, reason: refusal })
    this.sessionId = newId<SessionId>(systemRandom)
    await this.queue.cast(computeQueue(hostId), {
      kind: 'registered',
      ...answer,
      sessionId: this.sessionId,
      release: this.release,
    })
  }
}
