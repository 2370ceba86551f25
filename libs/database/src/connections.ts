import type pg from 'pg'
import type { PoolUse } from './bounded-pool.js'

/** Where statements go: node-postgres' pool, or what stands in for it in a simulation. */
export interface Connections {
  readonly use: PoolUse
  query(statement: pg.QueryConfig): Promise<StatementResult>
  connect(): Promise<Connection>
  end(): Promise<void>
}

/** One connection, as node-postgres has it. */
export interface Connection {
  query(statement: string | pg.QueryConfig): Promise<StatementResult>
  /** Gives it back to its pool; with an error it is ended. */
  release(broken?: Error): void
}

export interface StatementResult {
  rows: unknown[]
  rowCount: number | null
  /** What PostgreSQL says that it did. */
  command?: string
}
