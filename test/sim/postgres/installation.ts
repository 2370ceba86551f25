import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'
import { assert } from '@nubo/kernel'
import { serialize } from 'pg-protocol'
import { repository } from '../../support/repository.js'
import { columnsIn, failureIn, read } from './answers.js'
import { Wire } from './wire.js'

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
const listReferences = `SELECT DISTINCT conrelid::regclass::text AS "from", confrelid::regclass::text AS "to",
    (confdeltype::text || confupdtype::text) ~ '[cnd]' AS follows
  FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid`
interface Reference {
  from: string
  to: string
  /** Whether what refers goes, or changes, with what it refers to. */
  follows: boolean
}

const listTables = `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
const listSequences = `SELECT array_agg(oid::int) AS oids FROM pg_class WHERE relkind = 'S'`

export const epochMs = Date.UTC(2026, 0, 1)

/** A PostgreSQL with our tables, and what is to be known of them. */
export interface Installed {
  pglite: PGlite
  wire: Wire
  /** Those first that refer to others. */
  tables: readonly string[]
  /** The tables of which rows go, or change, when one does in this one. */
  follows: ReadonlyMap<string, readonly string[]>
  sequences: readonly number[]
  /** Where what the migrations themselves wrote is kept, by the table that they wrote it to. */
  firstRows: ReadonlyMap<string, string>
}

/**
 * After how much of its code has run V8 compiles a function of PostgreSQL well. A statement goes through thousands of them and
 * stays in none for long: V8's own measure (13 million) is for programs with a few loops.
 */
const tieringBudget = 2_000_000

/** A database as our migrations leave it: what each engine may begin with, so that not each has to make one. */
export async function prepareDatabase(): Promise<Blob> {
  // Of the whole process, and read when PostgreSQL is first loaded.
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudget}`)
  const pglite = await PGlite.create()
  // In virtual time: what the migrations write has a moment too.
  const wire = new Wire(pglite)
  ask(wire, virtualWorld)
  const migrations = join(repository, 'prisma/migrations')
  const entries = await readdir(migrations, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  for (const name of names.toSorted()) ask(wire, await readFile(join(migrations, name, 'migration.sql'), 'utf8'))
  ask(wire, checkReferences)
  const dump = await pglite.dumpDataDir('none')
  await pglite.close()
  return dump
}

export async function openDatabase(prepared: Blob): Promise<Installed> {
  const pglite = await PGlite.create({ loadDataDir: prepared, startParams })
  const wire = new Wire(pglite)
  ask(wire, session)
  const references = ask<Reference>(wire, listReferences)
  const names = ask<{ name: string }>(wire, listTables).map(({ name }) => name)
  const tables = childrenFirst(names, references)
  // Not as it is prepared: what begins from a copy of its files takes it for what is left after a crash, and empties it.
  for (const name of tables) ask(wire, `ALTER TABLE ${name} SET UNLOGGED`)
  const following = Map.groupBy(
    references.filter(({ follows }) => follows),
    ({ to }) => to,
  )
  const follows = new Map([...following].map(([table, each]) => [table, each.map(({ from }) => from)]))
  const [found] = ask<{ oids: number[] }>(wire, listSequences)
  return { pglite, wire, tables, follows, sequences: found!.oids, firstRows: keepFirstRows(wire, tables) }
}

/** Sends this as it is. Throws what PostgreSQL says. */
export function ask<Row>(wire: Wire, sql: string): Row[] {
  const heard = wire.exchange([{ messages: serialize.query(sql), nowMs: epochMs }])
  const failure = failureIn(heard)
  if (failure) throw failure
  return read(heard, columnsIn(heard)).rows as Row[]
}

function keepFirstRows(wire: Wire, tables: readonly string[]): Map<string, string> {
  const kept = new Map<string, string>()
  for (const table of tables) {
    const [row] = ask(wire, `SELECT FROM ${table} LIMIT 1`)
    if (!row) continue
    kept.set(table, `sim.first_${table}`)
    ask(wire, `CREATE TABLE ${kept.get(table)} AS TABLE ${table}`)
  }
  return kept
}

function childrenFirst(tables: readonly string[], references: readonly Reference[]): string[] {
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
