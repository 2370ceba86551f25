import type { StatementResult } from '@nubo/database'
import type { Chance } from '../core/chance.js'
import type { Simulation } from '../core/simulation.js'
import type { Trace } from '../core/trace.js'
import type { Engine } from './engine.js'
import { failures, noStatementFaults, type StatementFaults } from './faults.js'
import { isOrdered } from './unordered.js'
import { countsWhatItWrites, tablesWrittenBy } from './written.js'

/** One end of a connection, as the server knows it. */
export interface Client {
  readonly name: string
  /** Its connection is gone: whatever it had under way is rolled back. */
  onLost(): void
}

/** PostgreSQL ends who holds a transaction open for so long and asks for nothing. */
const idleInTransactionMs = 20_000

/**
 * PostgreSQL as the services meet it: one after the other they get the engine's only session, for one statement or one
 * transaction, in an order that the seed decides; and every statement may fail as PostgreSQL's may.
 */
export class PostgresServer {
  faults: StatementFaults = noStatementFaults
  /** What is carried out in a statement's place: for who breaks a rule on purpose. */
  inPlaceOf: (text: string) => string = (text) => text
  /** Called after each commit with the tables that were written: the moment at which every promise must hold. */
  onCommit: (written: ReadonlySet<string>) => void = () => undefined
  private isUp = true
  private readonly clients = new Set<Client>()
  private holder: Client | undefined
  private written = new Set<string>()
  private isAborted = false
  /** Since when its holder has asked for nothing. */
  private idleSinceMs = 0
  private isWatched = false
  private readonly waiting: { client: Client; resume: () => void }[] = []

  constructor(
    private readonly engine: Engine,
    private readonly simulation: Simulation,
    private readonly chance: Chance,
    private readonly trace: Trace,
  ) {}

  accept(client: Client): void {
    if (!this.isUp) throw failures.refused()
    this.clients.add(client)
  }

  /** The connection ends, from whichever side. */
  drop(client: Client): void {
    if (!this.clients.delete(client)) return
    if (this.holder === client) this.giveBack(true)
    client.onLost()
    const place = this.waiting.findIndex((each) => each.client === client)
    if (place >= 0) this.waiting.splice(place, 1)[0]!.resume()
  }

  stop(): void {
    this.isUp = false
    this.trace.note('postgres', 'stops')
    for (const client of [...this.clients]) this.drop(client)
  }

  start(): void {
    if (this.isUp) return
    this.isUp = true
    this.trace.note('postgres', 'starts')
  }

  /** Resolves when the session is this client's. */
  async turn(client: Client): Promise<void> {
    if (!this.holder) return this.give(client)
    await new Promise<void>((resume) => this.waiting.push({ client, resume }))
  }

  isHeldBy(client: Client): boolean {
    return this.holder === client
  }

  /** Carries out a statement of the client whose turn it is. */
  execute(client: Client, text: string, values: readonly unknown[]): StatementResult {
    const fault = text === 'BEGIN' || text === 'ROLLBACK' ? undefined : this.draw()
    if (fault) this.trace.note(client.name, `${labelOf(text)}: ${fault}`)
    if (fault === 'lostBefore') return this.lose(client)
    try {
      if (this.isAborted && text !== 'ROLLBACK') throw failures.aborted()
      if (fault === 'serializationFailure' || fault === 'deadlock') throw failures[fault]()
      const result = this.run(text, values)
      if (fault === 'lostAfter') return this.lose(client)
      return result
    } catch (error) {
      this.isAborted = this.engine.isInTransaction
      throw error
    } finally {
      if (this.holder === client) this.settle(client)
    }
  }

  private run(text: string, values: readonly unknown[]): StatementResult {
    const result = this.engine.run(this.inPlaceOf(text), values, this.simulation.nowMs)
    if (result.rowCount !== 0 || !countsWhatItWrites(text)) for (const table of tablesWrittenBy(text)) this.written.add(table)
    if (!this.engine.isInTransaction) this.committed()
    if (result.rows.length < 2 || isOrdered(text)) return result
    // PostgreSQL gives rows in any order where none is asked for; here the seed decides, whatever lies in the tables.
    const inOneOrder = result.rows.map((row) => JSON.stringify(row)).map((text, index) => ({ text, row: result.rows[index] }))
    inOneOrder.sort((a, b) => (a.text < b.text ? -1 : 1))
    return { ...result, rows: this.chance.shuffled(inOneOrder).map(({ row }) => row) }
  }

  private committed(): void {
    const { written } = this
    if (written.size === 0) return
    this.written = new Set()
    this.onCommit(written)
  }

  /** After a statement: the session is free again, or its holder has so long to say more. */
  private settle(client: Client): void {
    if (!this.engine.isInTransaction) return this.giveBack(false)
    this.give(client)
    if (!this.isWatched) this.watch(idleInTransactionMs)
  }

  private give(client: Client): void {
    this.holder = client
    this.idleSinceMs = this.simulation.nowMs
  }

  /** Looks again when its holder may have been idle for too long: no event for each statement that says more in time. */
  private watch(forMs: number): void {
    this.isWatched = true
    this.simulation.after(forMs, () => {
      this.isWatched = false
      const { holder } = this
      if (!holder) return
      const leftMs = this.idleSinceMs + idleInTransactionMs - this.simulation.nowMs
      if (leftMs > 0) return this.watch(leftMs)
      this.trace.note('postgres', `ends ${holder.name}: idle in transaction`)
      this.drop(holder)
    })
  }

  private lose(client: Client): never {
    this.drop(client)
    throw failures.lost()
  }

  private giveBack(rollBack: boolean): void {
    if (rollBack && this.engine.isInTransaction) this.engine.run('ROLLBACK', [], this.simulation.nowMs)
    this.isAborted = false
    this.written.clear()
    const next = this.chance.take(this.waiting)
    this.holder = undefined
    if (!next) return
    this.give(next.client)
    this.simulation.after(0, next.resume)
  }

  private draw(): Exclude<keyof StatementFaults, 'slow'> | undefined {
    let chance = this.chance.random.fraction()
    for (const fault of ['serializationFailure', 'deadlock', 'lostBefore', 'lostAfter'] as const) {
      if (chance < this.faults[fault]) return fault
      chance -= this.faults[fault]
    }
    return undefined
  }
}

/** What a statement is about, in a few words. */
export function labelOf(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim()
  return words.length > 48 ? `${words.slice(0, 48)}…` : words
}
