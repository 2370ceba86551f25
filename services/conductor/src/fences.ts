import {
  findStranded,
  isFenced,
  markInterrupted,
  type Database,
  type PgOperationStore,
  type PgOperationTransaction,
} from '@nubo/database'
import { Rounds, type Clock, type ServerId } from '@nubo/kernel'
import { doerOf, type Caster, type Located, type Opened, type OperationEngine, type ServerRecord } from '@nubo/workflow'
import { forEach } from './each.js'

const batchSize = 100

const stepMessage = 'Its host was declared dead by an operator.'
const faultMessage =
  'The host of this server was declared dead by an operator. Its disk lies on that host: the server runs again when the host returns with it. It can be deleted.'

export interface FencesOptions {
  database: Database
  store: PgOperationStore
  engine: OperationEngine
  caster: Caster
  clock: Clock
  intervalMs: number
  onError: (error: unknown) => void
}

/**
 * Settles what waits for a fenced host: by the operator's word nothing runs there any more, so what was to be removed from it
 * is gone, and what it was to do has failed. Any number may run side by side.
 */
export class Fences {
  private readonly rounds: Rounds

  constructor(private readonly options: FencesOptions) {
    const { clock, intervalMs, onError } = options
    this.rounds = new Rounds(() => this.settleAll(), { clock, pauseMs: intervalMs, onError })
  }

  start(): void {
    this.rounds.start()
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }

  async settleAll(): Promise<void> {
    await forEach(await findStranded(this.options.database, batchSize), (serverId) => this.settle(serverId))
  }

  private async settle(serverId: ServerId): Promise<void> {
    const opened = await this.options.store.transaction(async (tx) => {
      const found = await tx.lockServer(serverId)
      const hostId = found?.live?.step.hostId ?? found?.server.hostId
      if (!found || !hostId || !(await isFenced(tx.tx, hostId))) return undefined
      if (!found.live) return await this.interrupt(tx, found.server)
      return found.live.step.hostId && (await this.advance(tx, found.live))
    })
    await this.options.caster.cast([opened || undefined])
  }

  /** The server is on no host any more: what is left of its operation needs none. */
  private async advance(tx: PgOperationTransaction, live: Located): Promise<Opened> {
    const { engine } = this.options
    const located = { ...live, server: { ...live.server, hostId: null } }
    const definition = engine.definition(live.operation.kind)
    if (doerOf(definition.steps[live.step.name]!, live.step.direction) === 'destroy')
      return await engine.done(tx, located, { powerState: 0, detail: stepMessage })
    return await engine.failed(tx, located, { scope: 'host', message: stepMessage })
  }

  private async interrupt(tx: PgOperationTransaction, server: ServerRecord): Promise<undefined> {
    if (server.vmState !== 'active') return
    await markInterrupted(tx.tx, server.id, server.incarnation)
    await tx.markError(server.id, faultMessage)
  }
}
