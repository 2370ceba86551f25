import { PrismaPg } from '@prisma/adapter-pg'
import { assert, CloudError, systemClock, systemRandom, type Clock, type Random } from '@nubo/kernel'
import pg from 'pg'
import { BoundedPool, type PoolUse } from './bounded-pool.js'
import type { Connection, Connections, StatementResult } from './connections.js'
import { PrismaClient } from './generated/client.js'
import { repeatWhereUndone } from './repeat.js'

export interface DatabaseOptions {
  /** A host name, or the folder of a unix socket. */
  host: string
  port: number
  database: string
  user: string
  password: string
  /** Connections held at most. */
  poolSize: number
  /** How long one statement may take, in ms; 20 s where nothing is said. */
  statementTimeoutMs?: number
}

/** Anything that takes a statement: the pool, or one open transaction. */
export interface Queryable {
  /** Runs a statement and returns its rows. Statements are prepared once a connection and known by their text. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs a statement and returns how many rows it touched. */
  execute(text: string, values?: readonly unknown[]): Promise<number>
}

export type Transaction = Queryable & { readonly inTransaction: true }

/** How long work may wait for a connection, be it for one that is free or for a new one. */
const connectWithinMs = 5_000
const usualStatementTimeoutMs = 20_000
/** PostgreSQL ends a late statement itself; one that cannot even do that is given up a little later. */
const silenceAfterTimeoutMs = 1_000

const int8Oid = 20
// Counts and sizes here stay below 2^53; a bigint that is returned as text would be compared as text.
pg.types.setTypeParser(int8Oid, (text) => Number(text))

/**
 * One pool of connections to PostgreSQL. The statements that carry the promises go through `query` and `transaction`;
 * plain records go through `prisma`, which draws on the same pool.
 */
export class Database implements Queryable {
  private constructor(
    private readonly connections: Connections,
    private readonly records: PrismaClient | undefined,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Connects when it is first asked for something. */
  static connect(options: DatabaseOptions, clock: Clock = systemClock, random: Random = systemRandom): Database {
    const { poolSize, statementTimeoutMs = usualStatementTimeoutMs, ...connection } = options
    const limits = {
      ...connection,
      max: poolSize,
      // To connect costs both sides thousands of hashes, and every statement its plan: an idle service keeps one connection
      // for its next heartbeat, and for minutes those that it needs now and then.
      min: 1,
      idleTimeoutMillis: 5 * 60_000,
      connectionTimeoutMillis: connectWithinMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + silenceAfterTimeoutMs,
      idle_in_transaction_session_timeout: 20_000,
      application_name: 'nubo',
    }
    const pool = new BoundedPool(limits, clock)
    // A connection that dies is replaced by the pool, and the next statement on it fails. Without a listener it would end the
    // process: the pool's own hears of those that are idle, not of one on which a transaction is between two statements.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => client.on('error', () => undefined))
    return new Database(pool, new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' }), clock, random)
  }

  /** How its connections are used now. */
  get use(): PoolUse {
    return this.connections.use
  }

  /** The statements alone, over connections of another kind: Prisma draws on node-postgres only. */
  static over(connections: Connections, clock: Clock = systemClock, random: Random = systemRandom): Database {
    return new Database(connections, undefined, clock, random)
  }

  get prisma(): PrismaClient {
    assert(this.records, 'plain records are kept through node-postgres')
    return this.records
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.run(prepared(text, values))).rows as Row[]
  }

  /** As `query`, for statements whose text varies with what a client asks: they are not kept prepared. */
  async queryOnce<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.run({ text, values: values as unknown[] })).rows as Row[]
  }

  async execute(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.run(prepared(text, values))).rowCount ?? 0
  }

  /**
   * Runs `work` in one READ COMMITTED transaction. On a deadlock or a serialization failure it is run again from the start,
   * so `work` may have no effect outside of the transaction.
   * Throws `Unavailable` if PostgreSQL cannot be reached. If that happens at the commit, the outcome is unknown: the error's
   * details say so, and what was to be done must be safe to do again.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await repeatWhereUndone(() => this.attempt(work), this.clock, this.random)
  }

  /** A statement of its own is a transaction of its own. */
  private async run(statement: pg.QueryConfig): Promise<StatementResult> {
    return await repeatWhereUndone(() => alone(statement, this.connections), this.clock, this.random)
  }

  /**
   * Runs `work` on what is committed now: all it reads is of one moment, however many statements it takes and however busy
   * the database is. It can write nothing, and keeps nobody from writing.
   */
  async snapshot<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    return await this.read('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  /**
   * Runs `work`, which can write nothing, while it shares the advisory lock `lockId`: it reads what was committed by whoever
   * had that lock alone before, and who wants it alone waits until `work` is done.
   */
  async readSharing<T>(lockId: number, work: (db: Queryable) => Promise<T>): Promise<T> {
    return await this.read(`BEGIN READ ONLY; SELECT pg_advisory_xact_lock_shared(${lockId})`, work)
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await reachable(this.connections.connect())
    let broken: Error | undefined
    try {
      await reachable(client.query('BEGIN'))
      const result = await work(transactionOn(client))
      await commit(client)
      return result
    } catch (error) {
      // Who does not answer is not asked to roll back: PostgreSQL does so when the connection is closed.
      if (error instanceof OutOfReach) broken = error
      else await client.query('ROLLBACK').catch((failure: Error) => (broken = failure))
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** Nobody waits for the end of what only read: nothing of it can be lost. */
  private async read<T>(begin: string, work: (db: Queryable) => Promise<T>): Promise<T> {
    const client = await reachable(this.connections.connect())
    try {
      await reachable(client.query(begin))
      return await work(transactionOn(client))
    } finally {
      void client.query('ROLLBACK').then(
        () => client.release(),
        (failure: Error) => client.release(failure),
      )
    }
  }

  async close(): Promise<void> {
    await this.records?.$disconnect()
    await this.connections.end()
  }
}

/** One that PostgreSQL was given and did not answer may be carried out when it speaks again, whoever has gone meanwhile. */
async function alone(statement: pg.QueryConfig, connections: Connections): Promise<StatementResult> {
  return await reachable(connections.query(statement)).catch((error: unknown) => {
    if (error instanceof OutOfReach && wasSent(error.cause) && writes.test(statement.text)) throw inDoubt(error)
    throw error
  })
}

async function commit(client: Connection): Promise<void> {
  const { command } = await reachable(client.query('COMMIT')).catch((error: unknown) => {
    if (error instanceof OutOfReach) throw inDoubt(error)
    throw error
  })
  // PostgreSQL answers the COMMIT of a transaction in which a statement failed with ROLLBACK, and calls that no error.
  assert(command !== 'ROLLBACK', 'a statement that failed ends its transaction')
}

function inDoubt(cause: OutOfReach): CloudError {
  const message = 'The database was lost just as this was being stored. See whether it was done before you try again.'
  return new OutOfReach(message, cause, { outcome: 'unknown' })
}

function transactionOn(client: Connection): Transaction {
  return {
    inTransaction: true,
    async query<Row>(text: string, values: readonly unknown[] = []) {
      return (await reachable(client.query(prepared(text, values)))).rows as Row[]
    },
    async execute(text: string, values: readonly unknown[] = []) {
      return (await reachable(client.query(prepared(text, values)))).rowCount ?? 0
    },
  }
}

const statementNames = new Map<string, string>()
/** Each costs memory in every connection's process of PostgreSQL for as long as that lives. */
const preparedAtMost = 1_000

function prepared(text: string, values: readonly unknown[]): pg.QueryConfig {
  let name = statementNames.get(text)
  if (!name && statementNames.size >= preparedAtMost) return { text, values: values as unknown[] }
  if (!name) statementNames.set(text, (name = `s${statementNames.size + 1}`))
  return { name, text, values: values as unknown[] }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '')
}

/** True where an INSERT or UPDATE met a row that stands in its way. `constraint` names the one that is meant. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const details = error as { code?: string; constraint?: string } | null
  return details?.code === '23505' && (constraint === undefined || details.constraint === constraint)
}

/** True where a row was to point to one that is not there, or one was deleted that others point to. */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  const details = error as { code?: string; constraint?: string } | null
  return details?.code === '23503' && (constraint === undefined || details.constraint === constraint)
}

/** PostgreSQL's classes for a connection or a server that is gone: 08 connection, 57P shutting down, 53 out of resources. */
const unreachableCode = /^(08|57P|53|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH)/

/** What `pg` says, without a code, of a connection that is gone or silent. */
const unreachableWords =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/

/** Of these, what can befall a statement that PostgreSQL has. */
const lostWithStatement = /Connection terminated unexpectedly|Query read timeout|ECONNRESET|EPIPE/

const wasSent = (error: unknown) => lostWithStatement.test(`${codeOf(error)} ${error instanceof Error ? error.message : ''}`)

/** What a statement that changes something says, and one that only locks rows does not. */
const writes = /\b(INSERT INTO|DELETE FROM|SET)\b/

/** By `statement_timeout`. */
const statementCancelled = '57014'

/** The database does not answer, or not in time. */
class OutOfReach extends CloudError {
  constructor(message: string, cause: unknown, details: Record<string, unknown> = {}) {
    super('Unavailable', message, { cause, details: { retryAfterSeconds: 2, ...details } })
  }
}

/**
 * Values that PostgreSQL cannot take: an invalid regular expression, a NUL or a lone surrogate in a text, a number out of
 * range. They come from requests alone; our own statements are all tried.
 */
const unfitValueCodes = new Set(['2201B', '22021', '22P05', '22003', '22P02'])

async function reachable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (unfitValueCodes.has(codeOf(error))) {
      throw new CloudError('Invalid', 'The request holds a value that cannot be stored or searched for.', { cause: error })
    }
    if (isUnreachable(error)) throw new OutOfReach('The database cannot be reached at the moment. Try again shortly.', error)
    if (codeOf(error) === statementCancelled) throw new OutOfReach('The database took too long. Try again shortly.', error)
    throw error
  }
}

function isUnreachable(error: unknown): boolean {
  if (unreachableCode.test(codeOf(error))) return true
  const message = error instanceof Error ? error.message : ''
  return unreachableWords.test(message)
}
