import { createRequire } from 'node:module'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { StatementResult } from '@nubo/database'
import { assert } from '@nubo/kernel'
import { serialize } from 'pg-protocol'
import { repository } from '../../support/repository.js'
import { columnsIn, read, type Column, type Reading } from './answers.js'
import { Wire } from './wire.js'

/** As node-postgres turns values into parameters, which it keeps to itself. */
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils') as { prepareValue: (value: unknown) => string | null }

/**
 * PostgreSQL's chance, in the hands of the simulation: functions that stand before PostgreSQL's own in the search path, so
 * that every statement runs as it is written. Each statement has a chance of its own: for all of its rows the same, so that
 * nothing depends on the order in which PostgreSQL comes by them.
 */
const virtualWorld = `
  CREATE SCHEMA sim;
  CREATE SEQUENCE sim.ids;
  CREATE FUNCTION sim.random() RETURNS double precision LANGUAGE sql VOLATILE AS
    $$ SELECT ('x' || left(md5(clock_timestamp()::text), 8))::bit(32)::bit(31)::int / 2147483648.0::double precision $$;
  CREATE FUNCTION sim.gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS
    $$ SELECT overlay(overlay(md5(nextval('sim.ids')::text) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$;
  SET search_path = public, sim, pg_catalog`

/**
 * Nothing here outlives the process. Tables are of a few rows: what a plan sets up for more costs more than it saves. And no
 * reference is checked but those of `checkedTables`: a role that changed between histories would forget every plan.
 */
const session = `
  SET timezone = 'UTC';
  SET plan_cache_mode = force_generic_plan;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET enable_hashagg = off;
  SET enable_bitmapscan = off;
  SET enable_material = off;
  SET enable_memoize = off;
  SET track_activities = off;
  SET track_counts = off;
  SET search_path = sim, pg_catalog, public;
  SET synchronous_commit = off;
  SET session_replication_role = replica`

/**
 * What is written ahead is of no use to who begins anew after every crash: as little of it as can be, in files that are not
 * kept, and few pages in memory.
 */
const settings = {
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '64MB',
  full_page_writes: 'off',
  wal_init_zero: 'off',
  wal_recycle: 'off',
  shared_buffers: '16MB',
}
const startParams = [
  ...PGlite.defaultStartParams,
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

/** What is deleted takes along what stands for it there, and who comes too late learns it from a key. */
const checkedTables = [
  'ports',
  'port_addresses',
  'port_security_groups',
  'security_group_rules',
  'floating_ips',
  'routers',
  'network_shares',
  'subnets',
]
const checkReferences = `
  DO $$ DECLARE held record; BEGIN
    FOR held IN SELECT t.tgname, t.tgrelid::regclass AS owner FROM pg_trigger t JOIN pg_constraint c ON c.oid = t.tgconstraint
      WHERE c.contype = 'f' AND c.conrelid = ANY ('{${checkedTables.join()}}'::regclass[])
    LOOP EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', held.owner, held.tgname); END LOOP;
  END $$`
const listReferences = `SELECT DISTINCT conrelid::regclass::text AS "from", confrelid::regclass::text AS "to" FROM pg_constraint
  WHERE contype = 'f' AND conrelid <> confrelid`

/** What every history starts with; all other tables are emptied. */
const furniture = ['flavors', 'images']
const listTables = `
  SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL ($1::text[])`
const restartSequences = `SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'`
const vacuumEvery = 50
const epochMs = Date.UTC(2026, 0, 1)

/** A statement that the session knows by its name. */
interface Prepared {
  name: string
  columns: readonly Column[]
}

/** PostgreSQL in this process (PGlite): one session, a statement at once, and nothing that would not repeat. */
export class Engine {
  private readonly prepared = new Map<string, Prepared>()
  private readonly wire: Wire
  private status = 'I'
  private findUsed = ''
  /** Tables that were written since what was deleted there was swept up. */
  private readonly used = new Set<string>()
  private histories = 0
  /** Microseconds within the millisecond: no two statements have the same moment. */
  private statements = 0

  /** What the migrations themselves wrote, by table. */
  private readonly firstRows: [table: string, rows: string][] = []

  private constructor(private readonly pglite: PGlite) {
    this.wire = new Wire(pglite)
  }

  /** A database as our migrations leave it: what each engine may begin with, so that not each has to make one. */
  static async prepare(): Promise<Blob> {
    const pglite = await PGlite.create()
    // In virtual time: what the migrations write has a moment too.
    const wire = new Wire(pglite)
    const run = (sql: string) => failOn(read(wire.exchange(serialize.query(sql)), []))
    run(virtualWorld)
    const migrations = join(repository, 'prisma/migrations')
    const entries = await readdir(migrations, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    for (const name of names.toSorted()) {
      const sql = await readFile(join(migrations, name, 'migration.sql'), 'utf8')
      run(sql)
    }
    run(checkReferences)
    const dump = await pglite.dumpDataDir('none')
    await pglite.close()
    return dump
  }

  static async open(prepared?: Blob): Promise<Engine> {
    const loadDataDir = prepared ?? (await Engine.prepare())
    const engine = new Engine(await PGlite.create({ loadDataDir, startParams }))
    engine.exchange(serialize.query(session))
    engine.keepNoLog()
    engine.keepFirstRows()
    return engine
  }

  /** A cloud that nobody has used yet, whatever was done before. */
  reset(seed: number): void {
    if (this.isInTransaction) this.run('ROLLBACK', [], 0)
    // Deleted, not truncated: plans outlive it.
    for (const { name } of this.run<{ name: string }>(this.findUsed, [], 0).rows) {
      this.run(`DELETE FROM ${name}`, [], 0)
      this.used.add(name)
    }
    for (const [table, rows] of this.firstRows) {
      this.run(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [rows], 0)
    }
    this.run(restartSequences, [], 0)
    this.statements = seed % 1_000
    if (++this.histories % vacuumEvery === 0) this.sweepUp()
  }

  private sweepUp(): void {
    this.exchange(serialize.query(`VACUUM ${[...this.used].join()}`))
    this.used.clear()
  }

  get isInTransaction(): boolean {
    return this.status !== 'I'
  }

  /** Runs one statement at this moment of virtual time. Throws what PostgreSQL says, with its code. */
  run<Row = Record<string, unknown>>(text: string, values: readonly unknown[], nowMs: number): StatementResult & { rows: Row[] } {
    // Half a microsecond more: what is counted in nanoseconds from 1970 on is not exact.
    this.wire.nowMs = epochMs + nowMs + ((this.statements++ % 1_000) + 0.5) / 1_000
    const { name, columns } = this.prepare(text)
    const parameters = values.map((value) => prepareValue(value))
    const question = [serialize.bind({ statement: name, values: parameters }), serialize.execute(), serialize.sync()]
    return this.exchange(Buffer.concat(question), columns)
  }

  /** What a bystander reads, whoever has the session: nothing while a transaction is broken, and nobody may read there. */
  look<Row>(text: string, values: readonly unknown[], nowMs: number): Row[] {
    return this.status === 'E' ? [] : this.run<Row>(text, values, nowMs).rows
  }

  async close(): Promise<void> {
    await this.pglite.close()
  }

  /** Not as it is prepared: what begins from a copy of its files takes it for what is left after a crash, and empties it. */
  private keepNoLog(): void {
    for (const name of this.tablesBut([])) this.exchange(serialize.query(`ALTER TABLE ${name} SET UNLOGGED`))
  }

  private keepFirstRows(): void {
    const names = this.tablesBut(furniture)
    this.findUsed = names.map((name) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM ${name})`).join(' UNION ALL ')
    for (const { name } of this.run<{ name: string }>(this.findUsed, [], 0).rows) {
      const { rows } = this.run<{ all: unknown }>(`SELECT json_agg(t) AS all FROM ${name} t`, [], 0)
      this.firstRows.push([name, JSON.stringify(rows[0]!.all)])
    }
  }

  /** Those first that refer to others. */
  private tablesBut(these: readonly string[]): string[] {
    return this.childrenFirst(this.run<{ name: string }>(listTables, [these], 0).rows.map(({ name }) => name))
  }

  private childrenFirst(tables: readonly string[]): string[] {
    const references = this.run<{ from: string; to: string }>(listReferences, [], 0).rows
    const ordered: string[] = []
    let left = tables
    while (left.length > 0) {
      const free = left.filter((table) => !references.some(({ from, to }) => to === table && left.includes(from)))
      assert(free.length > 0, 'tables do not refer to each other in a circle')
      ordered.push(...free)
      left = left.filter((table) => !free.includes(table))
    }
    return ordered
  }

  private prepare(text: string): Prepared {
    const known = this.prepared.get(text)
    if (known) return known
    const name = `sim_${this.prepared.size}`
    const question = [serialize.parse({ name, text }), serialize.describe({ type: 'S', name }), serialize.sync()]
    const heard = this.wire.exchange(Buffer.concat(question))
    this.take(heard, [])
    const prepared = { name, columns: columnsIn(heard) }
    this.prepared.set(text, prepared)
    return prepared
  }

  private exchange<Row>(question: Uint8Array, columns: readonly Column[] = []): StatementResult & { rows: Row[] } {
    return this.take(this.wire.exchange(question), columns) as StatementResult & { rows: Row[] }
  }

  private take(heard: ReturnType<Wire['exchange']>, columns: readonly Column[]): StatementResult {
    const { status, ...result } = read(heard, columns)
    this.status = status
    return failOn(result)
  }
}

function failOn<T extends Pick<Reading, 'failure'>>({ failure, ...result }: T): Omit<T, 'failure'> {
  if (failure) throw failure
  return result
}
