import { createRequire } from 'node:module'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, protocol } from '@electric-sql/pglite'
import type { StatementResult } from '@nubo/database'
import pg from 'pg'
import { repository } from '../../support/repository.js'

/** As node-postgres turns values into parameters, which it keeps to itself. */
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils') as { prepareValue: (value: unknown) => string | null }

/**
 * PostgreSQL's clock and chance, in the hands of the simulation: functions that stand before PostgreSQL's own in the search
 * path, so that every statement runs as it is written. Each statement has a moment of its own, and a chance of its own: for
 * all of its rows the same, so that nothing depends on the order in which PostgreSQL comes by them.
 */
const virtualWorld = `
  CREATE SCHEMA sim;
  CREATE SEQUENCE sim.ids;
  CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT current_setting('sim.now')::timestamptz $$;
  CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT sim.now() $$;
  CREATE FUNCTION sim.random() RETURNS double precision LANGUAGE sql VOLATILE AS
    $$ SELECT ('x' || left(md5(current_setting('sim.now')), 8))::bit(32)::bit(31)::int / 2147483648.0::double precision $$;
  CREATE FUNCTION sim.gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS
    $$ SELECT overlay(overlay(md5(nextval('sim.ids')::text) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$;
  SELECT set_config('sim.now', '2026-01-01', false);
  SET timezone = 'UTC';
  SET plan_cache_mode = force_generic_plan;
  SET search_path = public, sim, pg_catalog`

const setNow = `SELECT set_config('sim.now', $1, false)`
/** What every history starts with; all other tables are emptied. */
const furniture = ['flavors', 'images']
const listTables = `
  SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL ($1::text[])`
const restartSequences = `SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'`
const vacuumEvery = 50
const epochMs = Date.UTC(2026, 0, 1)
const ends = new Set(['BEGIN', 'COMMIT', 'ROLLBACK'])

/** PostgreSQL in this process (PGlite): one session, a statement at once, and nothing that would not repeat. */
export class Engine {
  private readonly prepared = new Map<string, string>()
  private status = 'I'
  private findUsed = ''
  private histories = 0
  /** Microseconds within the millisecond: no two statements have the same moment. */
  private statements = 0

  /** What the migrations themselves wrote, by table. */
  private readonly firstRows: [table: string, rows: string][] = []

  private constructor(private readonly pglite: PGlite) {}

  static async open(): Promise<Engine> {
    const pglite = await PGlite.create()
    await pglite.exec(virtualWorld)
    const migrations = join(repository, 'prisma/migrations')
    const entries = await readdir(migrations, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    for (const name of names.toSorted()) {
      const sql = await readFile(join(migrations, name, 'migration.sql'), 'utf8')
      // The default of a column would read PostgreSQL's own clock.
      await pglite.exec(sql.replaceAll('CURRENT_TIMESTAMP', 'sim.now()'))
    }
    await pglite.exec('SET search_path = sim, pg_catalog, public')
    // Nothing here outlives the process; and what is emptied between histories is not checked row by row.
    await pglite.exec('SET synchronous_commit = off; SET session_replication_role = replica')
    const engine = new Engine(pglite)
    engine.keepFirstRows()
    return engine
  }

  /** A cloud that nobody has used yet, whatever was done before. */
  reset(seed: number): void {
    if (this.isInTransaction) this.run('ROLLBACK', [], 0)
    // Deleted, not truncated: plans outlive it.
    for (const { name } of this.run<{ name: string }>(this.findUsed, [], 0).rows) this.run(`DELETE FROM ${name}`, [], 0)
    for (const [table, rows] of this.firstRows) {
      this.run(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [rows], 0)
    }
    this.run(restartSequences, [], 0)
    this.statements = seed % 1_000
    if (++this.histories % vacuumEvery === 0) this.exchange(query('VACUUM'))
  }

  get isInTransaction(): boolean {
    return this.status !== 'I'
  }

  /** Runs one statement at this moment of virtual time. Throws what PostgreSQL says, with its code. */
  run<Row = Record<string, unknown>>(text: string, values: readonly unknown[], nowMs: number): StatementResult & { rows: Row[] } {
    if (ends.has(text)) return this.exchange(query(text))
    const now = `${new Date(epochMs + nowMs).toISOString().slice(0, -1)}${String(this.statements++ % 1_000).padStart(3, '0')}Z`
    const { bind, describe, execute, sync } = protocol.serialize
    const parameters = values.map((value) => prepareValue(value))
    return this.exchange(
      Buffer.concat([
        bind({ statement: this.prepare(setNow), values: [now] }),
        execute({}),
        bind({ statement: this.prepare(text), values: parameters }),
        describe({ type: 'P' }),
        execute({}),
        sync(),
      ]),
    )
  }

  async close(): Promise<void> {
    await this.pglite.close()
  }

  private keepFirstRows(): void {
    const names = this.run<{ name: string }>(listTables, [furniture], 0).rows.map(({ name }) => name)
    this.findUsed = names.map((name) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name})`).join(' UNION ALL ')
    for (const { name } of this.run<{ name: string }>(this.findUsed, [], 0).rows) {
      const { rows } = this.run<{ all: unknown }>(`SELECT json_agg(t) AS all FROM ${name} t`, [], 0)
      this.firstRows.push([name, JSON.stringify(rows[0]!.all)])
    }
  }

  /** The name under which the session knows a statement. */
  private prepare(text: string): string {
    const known = this.prepared.get(text)
    if (known) return known
    const name = `sim_${this.prepared.size}`
    this.exchange(Buffer.concat([protocol.serialize.parse({ name, text }), protocol.serialize.sync()]))
    this.prepared.set(text, name)
    return name
  }

  private exchange<Row>(messages: Uint8Array): StatementResult & { rows: Row[] } {
    const { status, failure, ...result } = read(this.pglite.execProtocolRawSync(messages))
    this.status = status
    if (failure) throw failure
    return result as StatementResult & { rows: Row[] }
  }
}

const query = (text: string) => protocol.serialize.query(text)

interface Reading extends StatementResult {
  status: string
  failure?: Error
}

type Column = InstanceType<typeof protocol.messages.Field> & { parse: (text: string) => unknown }

/** The last statement's rows, as node-postgres gives them. */
function read(bytes: Uint8Array): Reading {
  const reading: Reading = { rows: [], rowCount: null, status: 'I' }
  let columns: Column[] = []
  new protocol.Parser().parse(bytes, (message) => {
    if (message instanceof protocol.messages.RowDescriptionMessage) {
      columns = message.fields.map((field) => ({ ...field, parse: pg.types.getTypeParser(field.dataTypeID) }))
    } else if (message instanceof protocol.messages.DataRowMessage && columns.length > 0) {
      reading.rows.push(rowOf(columns, message.fields))
    } else if (message instanceof protocol.messages.CommandCompleteMessage) {
      reading.rowCount = Number(/ (\d+)$/.exec(message.text)?.[1] ?? Number.NaN)
    } else if (message instanceof protocol.messages.DatabaseError) {
      reading.failure ??= message
    } else if (message instanceof protocol.messages.ReadyForQueryMessage) {
      reading.status = message.status
    }
  })
  return reading
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  columns.forEach((column, index) => {
    const text = fields[index] ?? null
    row[column.name] = text === null ? null : column.parse(text)
  })
  return row
}
