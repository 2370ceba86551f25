import { reportsQueue, type NotRegistered, type Registered } from '@nubo/contract'
import { newId, type Clock, type Id, type Random, type Timer } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'

export interface RegistrationOptions {
  queue: Queue
  clock: Clock
  random: Random
  logger: Logger
  /** Surveys the host and casts the registration. */
  register: (registrationId: string) => Promise<void>
}

const answerWithinMs = 10_000
const lookMs = 1_000
/** Late answers to no more tries than these are told from answers to another agent's. */
const triesRemembered = 20

/** Registers until the answer to the last try came. */
export class Registration {
  private awaited: string | undefined
  private readonly tries: string[] = []
  private sentMs = 0
  /** Why the last answered try was refused. */
  refusal: string | undefined
  private timer: Timer | undefined
  private stopped = false

  constructor(private readonly options: RegistrationOptions) {}

  get isPending(): boolean {
    return this.awaited !== undefined
  }

  /** Asks for a new session. Does nothing while one is being asked for. */
  begin(): void {
    if (!this.awaited && !this.stopped) void this.attempt()
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  /** True if this answers the last try. The answers to earlier ones are of sessions that are over. */
  isAwaited({ registrationId }: Registered | NotRegistered): boolean {
    return registrationId === this.awaited && !this.stopped
  }

  /** True if this answers a try of this agent, however long ago. */
  isOurs({ registrationId }: Registered | NotRegistered): boolean {
    return this.tries.includes(registrationId)
  }

  /** The host has its session. */
  settle(): void {
    this.awaited = undefined
    this.refusal = undefined
    this.timer?.cancel()
  }

  /** The host was refused: it asks again in a while. */
  refuse(reason: string): void {
    if (this.refusal !== reason) this.options.logger.error({ reason }, 'the cloud does not let this host take part')
    this.refusal = reason
  }

  private async attempt(): Promise<void> {
    const { clock, random, logger, register } = this.options
    this.awaited = newId<Id<'registration'>>(random)
    this.tries.push(this.awaited)
    if (this.tries.length > triesRemembered) this.tries.shift()
    this.sentMs = clock.monotonicMs()
    await register(this.awaited).catch((error: unknown) => {
      logger.warn({ err: error }, 'the host could not be registered; it will be tried again')
      this.sentMs = clock.monotonicMs() - answerWithinMs
    })
    this.wait()
  }

  private wait(): void {
    if (!this.awaited || this.stopped) return
    this.timer = this.options.clock.after(lookMs, () => void this.tryAgainIfLost(), { background: true })
  }

  /** A try that still waits for a conductor is not repeated: each that is taken makes a session, and the last one counts. */
  private async tryAgainIfLost(): Promise<void> {
    const { clock, queue } = this.options
    const overdue = clock.monotonicMs() - this.sentMs >= answerWithinMs
    const waiting = overdue ? await queue.depth(reportsQueue).catch(() => 1) : 1
    if (!this.awaited || this.stopped) return
    if (waiting > 0) return this.wait()
    await this.attempt()
  }
}
