import type { ServerCommand } from '@nubo/contract'
import { CloudError, type Clock, type PortId, type ServerId } from '@nubo/kernel'
import { withLogFields, type Logger } from '@nubo/service-kit'
import type { Executor } from '../executor.js'
import type { HostRecord } from '../host-record.js'
import type { Journal, Outcome } from '../journal.js'
import { powerStateCode } from '../reports/power-state.js'
import type { Session } from '../session.js'
import type { CommandTools } from './context.js'
import { CommandFailure, DeadlinePassed } from './failure.js'
import { perform } from './perform.js'

export interface IntakeOptions {
  tools: CommandTools
  journal: Journal
  record: HostRecord
  executor: Executor
  session: Session
  clock: Clock
  logger: Logger
  /** Told of every command that ended, when that is in the journal. */
  onEnded: (command: ServerCommand, outcome: Outcome) => void
  /** A command that ended before was asked for again. */
  onAskedAgain: (serverId: ServerId) => void
}

/** What a host in quarantine leaves: it goes on with the guests that it has, and no more. */
const makesOrUnmakes: ReadonlySet<ServerCommand['kind']> = new Set(['build', 'destroy'])

interface Running {
  fence: number
  incarnation: number
  /** What its guest is to be plugged into. */
  ports: readonly PortId[]
  abort: AbortController
}

/**
 * Takes commands in, whatever way and however often they come: of two for one server the one with the higher fence counts,
 * one that ended is answered from the journal, one that is under way goes on; but where it is told again without a port, which
 * was deleted meanwhile, it begins anew, as it may wait for that port.
 */
export class Intake {
  private readonly running = new Map<ServerId, Running>()
  private stopped = false

  constructor(private readonly options: IntakeOptions) {}

  /** The command must be of the current session. */
  take(command: ServerCommand): void {
    const { journal, logger, record, session } = this.options
    const { serverId, fence, fencingEpoch } = command
    if (this.stopped) return
    const log = { serverId, kind: command.kind, fence }
    if (fencingEpoch !== session.fencingEpoch) return logger.warn(log, 'refused a command of another epoch of this host')
    if (record.quarantine && makesOrUnmakes.has(command.kind))
      return logger.warn({ ...log, why: record.quarantine }, 'left a command until a person has looked at this host')
    const entry = journal.get(serverId)
    if (entry && fence < entry.fence)
      return logger.warn({ ...log, known: entry.fence }, 'refused a command: a later one came first')
    if (entry && fence === entry.fence) {
      if (entry.result) return this.options.onAskedAgain(serverId)
      const running = this.running.get(serverId)
      if (running?.fence === fence && !lacksPorts(command, running)) return
    }
    this.begin(command)
  }

  /** Leaves what is under way as it is: it is asked for again after the next registration. */
  async stop(): Promise<void> {
    this.stopped = true
    for (const { abort } of this.running.values()) abort.abort(new Error('the agent ends'))
    await this.options.executor.idle()
  }

  /** Ends what is under way for this incarnation of a server, or a lower one: it is not to be here any more. */
  revoke(serverId: ServerId, upToIncarnation: number): void {
    const running = this.running.get(serverId)
    if (!running || running.incarnation > upToIncarnation) return
    running.abort.abort(new CommandFailure('superseded', 'The server was given up on this host.'))
  }

  /** True while a command for this server is being carried out. */
  isBusy(serverId: ServerId): boolean {
    return this.running.has(serverId)
  }

  private begin(command: ServerCommand): void {
    const { serverId, incarnation, fence, requestId, operationId } = command
    const before = this.running.get(serverId)
    const isSame = before?.fence === fence
    before?.abort.abort(isSame ? new Error('told again') : new CommandFailure('superseded', 'A later command came first.'))
    const mine = { fence, incarnation, ports: portsOf(command), abort: new AbortController() }
    this.running.set(serverId, mine)
    const noted = this.options.journal.accept(command)
    noted.catch(() => undefined)
    void withLogFields({ serverId, requestId, operationId }, () =>
      this.options.executor
        .run(serverId, async () => {
          await noted
          await this.carryOut(command, mine.abort)
        })
        .catch((error: unknown) => this.options.logger.error({ err: error, kind: command.kind }, 'a command was left open'))
        .finally(() => {
          if (this.running.get(serverId) === mine) this.running.delete(serverId)
        }),
    )
  }

  private async carryOut(command: ServerCommand, abort: AbortController): Promise<void> {
    const { clock, session, journal, logger, onEnded } = this.options
    const beganMs = clock.monotonicMs()
    const deadline = clock.after(command.timeoutMs, () => abort.abort(new DeadlinePassed(command.timeoutMs)), {
      background: true,
    })
    logger.info({ kind: command.kind, incarnation: command.incarnation, fence: command.fence }, 'command begins')
    try {
      const outcome = await this.outcomeOf(command, abort.signal)
      if (!outcome || !session.id) return
      const seen = { sessionId: session.id, sequence: session.nextSequence() }
      if (!(await journal.end(command.serverId, command.fence, { outcome, ...seen }))) return
      const tookMs = Math.round(clock.monotonicMs() - beganMs)
      logger.info({ kind: command.kind, fence: command.fence, outcome, tookMs }, 'command ended')
      onEnded(command, outcome)
    } finally {
      deadline.cancel()
    }
  }

  /** Undefined where it is open how it ends: it is begun again when it is asked for again. */
  private async outcomeOf(command: ServerCommand, signal: AbortSignal): Promise<Outcome | undefined> {
    const { tools, journal, logger } = this.options
    try {
      signal.throwIfAborted()
      if (command.kind === 'build' && command.incarnation <= journal.tombstoneOf(command.serverId)) {
        throw new CommandFailure('superseded', 'This incarnation of the server was destroyed before.')
      }
      return { state: 'done', ...(await perform(command, tools, signal)) }
    } catch (error) {
      if (error instanceof CommandFailure) return await this.failed(command, error, signal)
      if (!signal.aborted && !isUnavailable(error)) {
        logger.error({ err: error, kind: command.kind }, 'a command failed')
        return await this.failed(command, new CommandFailure('host', messageOf(error)), signal)
      }
      logger.warn({ err: error, kind: command.kind }, 'a command was left open')
      return undefined
    }
  }

  private async failed({ serverId }: ServerCommand, { scope, message }: CommandFailure, signal: AbortSignal): Promise<Outcome> {
    const guest = signal.aborted ? undefined : await this.options.tools.hypervisor.inspect(serverId).catch(() => undefined)
    return { state: 'failed', powerState: powerStateCode(guest?.powerState), failure: { scope, message } }
  }
}

function portsOf(command: ServerCommand): PortId[] {
  const nics = command.kind === 'build' ? command.guest.nics : 'nics' in command ? command.nics : []
  return nics.map(({ portId }) => portId)
}

function lacksPorts(command: ServerCommand, { ports }: Running): boolean {
  const told = new Set(portsOf(command))
  return ports.some((port) => !told.has(port))
}

/** A refusal of the hypervisor is worth a person's reading, a defect of ours is not. */
function messageOf(error: unknown): string {
  if (error instanceof CloudError && error.kind !== 'Bug') return error.message
  return 'Something went wrong on the host; its log says what.'
}

function isUnavailable(error: unknown): boolean {
  return error instanceof CloudError && error.kind === 'Unavailable'
}
