import type { Result } from '@nubo/contract'
import type { PgOperationStore, PgOperationTransaction } from '@nubo/database'
import type { Caster, Located, Opened, OperationEngine } from '@nubo/workflow'
import type { Acknowledger } from './acknowledger.js'
import type { Guests } from './guests.js'

export interface ResultsOptions {
  store: PgOperationStore
  engine: OperationEngine
  caster: Caster
  acknowledger: Acknowledger
  guests: Guests
  /** Told of every result, with what it was the result of; undefined for one that nobody waits for any more. */
  onResult: (result: Result, of: Located | undefined) => void
}

/** Takes in how a command ended: commits it with the next step, and lets the agent forget it. */
export class Results {
  constructor(private readonly options: ResultsOptions) {}

  async take(result: Result): Promise<void> {
    const { store, acknowledger, caster, onResult } = this.options
    let current: Located | undefined
    const opened = await store.transaction(async (tx) => {
      const located = await tx.lockStep(result.stepId)
      current = located && isCurrent(located, result) ? located : undefined
      return current && (await this.commit(tx, current, result))
    })
    onResult(result, current)
    // A result that is no longer waited for is acknowledged too: it is settled, one way or the other.
    acknowledger.add(result.hostId, { serverId: result.serverId, fence: result.fence })
    await caster.cast([opened])
  }

  private async commit(tx: PgOperationTransaction, located: Located, result: Result): Promise<Opened> {
    const opened = await this.advance(tx, located, result)
    const [ended] = tx.ended
    return ended ? await this.options.guests.settleEnded(tx, { ...located.server, ...ended.server }) : opened
  }

  private async advance(tx: PgOperationTransaction, located: Located, result: Result): Promise<Opened> {
    const { engine } = this.options
    const { outcome, serverId, sessionId, sequence } = result
    const seen = { powerState: outcome.powerState, report: { sessionId, sequence } }
    if (outcome.state === 'done') return await engine.done(tx, located, { ...seen, detail: outcome.detail })
    // What a host that is being cleared sees of a server is not how the server is.
    if (located.server.hostId !== result.hostId) return await engine.failed(tx, located, outcome.failure)
    const powerState = await tx.recordSeen(serverId, seen)
    return await engine.failed(tx, { ...located, server: { ...located.server, powerState } }, outcome.failure)
  }
}

/** True for the answer to exactly the command that the step is open for, from the host that was to carry it out. */
function isCurrent({ step, server, operation }: Located, result: Result): boolean {
  return (
    step.state === 'open' &&
    step.fence === result.fence &&
    step.hostId === result.hostId &&
    server.id === result.serverId &&
    server.incarnation === result.incarnation &&
    (operation.state === 'running' || operation.state === 'unwinding')
  )
}
