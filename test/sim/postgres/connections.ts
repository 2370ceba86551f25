import type { Connection, Connections, StatementResult } from '@nubo/database'
import type { Process } from '../core/process.js'
import type { Chance } from '../core/chance.js'
import { failures } from './faults.js'
import type { Client, PostgresServer } from './server.js'

type Statement = Parameters<Connection['query']>[0]

const poolSize = 4
const connectWithinMs = 3_000

/** A process's pool of connections to the simulated PostgreSQL. */
export class SimulatedConnections implements Connections {
  private inUse = 0
  private readonly waiting: (() => void)[] = []

  constructor(
    private readonly process: Process,
    private readonly server: PostgresServer,
    private readonly chance: Chance,
  ) {}

  get use() {
    return { size: poolSize, inUse: this.inUse, waiting: this.waiting.length, longestWaitMs: 0 }
  }

  async query(statement: Statement): Promise<StatementResult> {
    const connection = await this.connect()
    try {
      return await connection.query(statement)
    } finally {
      connection.release()
    }
  }

  async connect(): Promise<SimulatedConnection> {
    await this.place()
    try {
      return new SimulatedConnection(this.process, this.server, this.chance, () => this.leave())
    } catch (error) {
      // It takes its time: who asks again at once would ask for ever.
      await this.process.delay(this.chance.between(0, 1))
      this.leave()
      throw error
    }
  }

  async end(): Promise<void> {}

  private async place(): Promise<void> {
    if (this.inUse < poolSize) return void this.inUse++
    await new Promise<void>((resolve, reject) => {
      const timer = this.process.after(connectWithinMs, () => {
        this.waiting.splice(this.waiting.indexOf(mine), 1)
        reject(failures.noConnection())
      })
      const mine = () => {
        timer.cancel()
        resolve()
      }
      this.waiting.push(mine)
    })
  }

  private leave(): void {
    const next = this.waiting.shift()
    if (next) next()
    else this.inUse--
  }
}

class SimulatedConnection implements Connection, Client {
  private isOpen = true
  private isMine = false
  private readonly stopWatching: () => void

  constructor(
    private readonly process: Process,
    private readonly server: PostgresServer,
    private readonly chance: Chance,
    private readonly onReleased: () => void,
  ) {
    server.accept(this)
    this.stopWatching = process.atDeath(() => server.drop(this))
  }

  get name(): string {
    return this.process.name
  }

  onLost(): void {
    this.isOpen = false
  }

  async query(statement: Statement): Promise<StatementResult> {
    const { text, values = [] } = typeof statement === 'string' ? { text: statement, values: [] } : statement
    await this.process.delay(this.travelMs())
    if (!this.isOpen) throw failures.lost()
    if (!this.isMine) await this.server.turn(this)
    if (!this.isOpen) throw failures.lost()
    this.isMine = true
    const answer = this.attempt(text, values as unknown[])
    this.isMine = this.server.isHeldBy(this)
    // Nobody sees what a transaction did before it ends: whoever is killed between this answer and what he asks next is killed
    // as well before he asks.
    if (!this.isMine) await this.process.delay(this.travelMs())
    if ('error' in answer) throw answer.error
    return answer.result
  }

  /** A connection more or less is nothing here: each is used once. */
  release(): void {
    this.stopWatching()
    this.server.drop(this)
    this.onReleased()
  }

  private attempt(text: string, values: readonly unknown[]): { result: StatementResult } | { error: unknown } {
    try {
      return { result: this.server.execute(this, text, values) }
    } catch (error) {
      return { error }
    }
  }

  private travelMs(): number {
    return this.chance.happens(this.server.faults.slow) ? this.chance.between(500, 5_000) : this.chance.between(0.05, 1)
  }
}
