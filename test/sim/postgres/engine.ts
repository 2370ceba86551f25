import { createRequire } from 'node:module'
import type { StatementResult } from '@nubo/database'
import { assert } from '@nubo/kernel'
import { serialize } from 'pg-protocol'
import { columnsIn, failureIn, read, split, statusIn, type Column, type Heard } from './answers.js'
import { ask, epochMs, openDatabase, prepareDatabase, type Installed } from './installation.js'
import { withoutLocks } from './locks.js'
import { Memory, type Reads } from './memory.js'
import { Versions } from './versions.js'
import type { Question, Wire } from './wire.js'
import { countsWhatItWrites, tablesWrittenBy } from './written.js'

/** As node-postgres turns values into parameters, which it keeps to itself. */
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils') as { prepareValue: (value: unknown) => string | null }

/** What every history starts with; all other tables are emptied. */
const furniture = new Set(['flavors', 'images'])
const restartSequences = 'SELECT setval(oid::regclass, 1, false) FROM unnest($1::oid[]) AS oid'
const vacuumEvery = 50

export interface Statement {
  text: string
  values: readonly unknown[]
}

/** A statement that the session knows by its name. */
interface Prepared {
  name: string
  columns: readonly Column[]
  writes: readonly string[]
  /** Whether no row means that nothing was written. */
  countsWrites: boolean
  /** Whether it goes back to a savepoint. */
  undoes: boolean
  /** Absent where it is to be carried out every time. */
  reads: Reads | undefined
}

/** PostgreSQL in this process (PGlite): one session, a statement at once, and nothing that would not repeat. */
export class Engine {
  private readonly prepared = new Map<string, Prepared>()
  private readonly wire: Wire
  private readonly versions: Versions
  private readonly memory: Memory
  private status = 'I'
  /** What cannot fail, so that nobody has to wait for it: it goes ahead of what is asked next. */
  private ahead: Question[] = []
  /** Tables that were written since what was deleted there was swept up. */
  private readonly used = new Set<string>()
  private histories = 0
  /** Microseconds within the millisecond: no two statements have the same moment. */
  private statements = 0

  private constructor(private readonly installed: Installed) {
    this.wire = installed.wire
    this.versions = new Versions(installed.tables, installed.follows)
    this.memory = new Memory(this.versions)
  }

  /** What each engine may begin with, so that not each has to make it. */
  static async prepare(): Promise<Blob> {
    return await prepareDatabase()
  }

  static async open(prepared?: Blob): Promise<Engine> {
    return new Engine(await openDatabase(prepared ?? (await prepareDatabase())))
  }

  /** A cloud that nobody has used yet, whatever was done before. */
  reset(seed: number): void {
    if (this.isInTransaction) this.run('ROLLBACK', [], 0)
    this.runAll([...this.emptying(), { text: restartSequences, values: [this.installed.sequences] }], 0)
    this.versions.takeWritten()
    this.memory.forget()
    this.statements = seed % 1_000
    if (++this.histories % vacuumEvery === 0) this.sweepUp()
  }

  get isInTransaction(): boolean {
    return this.status !== 'I'
  }

  /** Runs one statement at this moment of virtual time. Throws what PostgreSQL says, with its code. */
  run<Row = Record<string, unknown>>(text: string, values: readonly unknown[], nowMs: number): StatementResult & { rows: Row[] } {
    const momentMs = this.nextMoment(nowMs)
    if (isBegin(text)) return this.begin(text, momentMs)
    if (text === 'ROLLBACK' || (text === 'COMMIT' && this.status === 'T')) return this.end(text, momentMs)
    const prepared = this.prepare(text, momentMs)
    const parameters = parametersOf(values)
    const { reads, columns } = prepared
    const heard =
      reads && this.status !== 'E'
        ? this.recall(prepared, reads, parameters, momentMs)
        : this.carryOut(prepared, parameters, momentMs)
    return read(heard, columns) as StatementResult & { rows: Row[] }
  }

  /** Runs statements whatever those before them are answered: in one transaction, where none is open. */
  runAll(statements: readonly Statement[], nowMs: number): Record<string, unknown>[][] {
    const asked = statements.map(({ text, values }) => {
      const momentMs = this.nextMoment(nowMs)
      const prepared = this.prepare(text, momentMs)
      return { prepared, question: questionOf(prepared, parametersOf(values), momentMs) }
    })
    const before = this.ahead.length
    const answers = split(this.exchange(asked.map(({ question }) => question))).slice(before)
    for (const { prepared } of asked) this.versions.noteWrite(prepared.writes)
    this.noteEnd()
    return asked.map(({ prepared }, index) => read(answers[index]!, prepared.columns).rows as Record<string, unknown>[])
  }

  /** What a bystander reads, whoever has the session: nothing while a transaction is broken, and nobody may read there. */
  look<Row>(text: string, values: readonly unknown[], nowMs: number): Row[] {
    return this.status === 'E' ? [] : this.run<Row>(text, values, nowMs).rows
  }

  async close(): Promise<void> {
    await this.installed.pglite.close()
  }

  /** Of tables that were written: deleted, not truncated, so that plans outlive it. */
  private emptying(): Statement[] {
    const { tables, firstRows } = this.installed
    const written = this.versions.takeWritten()
    return tables.flatMap((table) => {
      if (furniture.has(table) || !written.has(table)) return []
      this.used.add(table)
      const remove = { text: `DELETE FROM ${table}`, values: [] }
      const kept = firstRows.get(table)
      return kept ? [remove, { text: `INSERT INTO ${table} TABLE ${kept}`, values: [] }] : [remove]
    })
  }

  private sweepUp(): void {
    this.requireEmpty()
    ask(this.wire, `VACUUM ${[...this.used].join()}`)
    this.used.clear()
  }

  /** What a statement wrote without that being seen in its text would be there in the next history. */
  private requireEmpty(): void {
    const { tables, firstRows } = this.installed
    const empty = tables.filter((table) => !furniture.has(table) && !firstRows.has(table))
    const left = ask<{ name: string }>(
      this.wire,
      empty.map((table) => `SELECT '${table}' AS name WHERE EXISTS (SELECT FROM ${table})`).join(' UNION ALL '),
    )
    assert(left.length === 0, `a statement says what it writes: ${left.map(({ name }) => name).join()}`)
  }

  /** Half a microsecond more: what is counted in nanoseconds from 1970 on is not exact. */
  private nextMoment(nowMs: number): number {
    return epochMs + nowMs + ((this.statements++ % 1_000) + 0.5) / 1_000
  }

  private begin<Row>(text: string, momentMs: number): StatementResult & { rows: Row[] } {
    const prepared = this.prepare(text, momentMs)
    this.ahead.push(questionOf(prepared, [], momentMs))
    this.status = 'T'
    return { rows: [], rowCount: null }
  }

  /** No constraint of ours waits for the end of a transaction, so that a commit does not fail either. */
  private end<Row>(text: string, momentMs: number): StatementResult & { rows: Row[] } {
    const prepared = this.prepare(text, momentMs)
    this.ahead.push(questionOf(prepared, [], momentMs))
    this.status = 'I'
    this.noteEnd()
    return { rows: [], rowCount: null }
  }

  /** As `carryOut`, unless it was done before and nothing that it reads was written since. */
  private recall(prepared: Prepared, reads: Reads, parameters: readonly (string | null)[], momentMs: number): Heard {
    const key = JSON.stringify(parameters)
    const known = this.memory.recall(reads, key)
    if (known) return known
    const heard = this.carryOut(prepared, parameters, momentMs)
    this.memory.keep(reads, key, heard)
    return heard
  }

  private carryOut(prepared: Prepared, parameters: readonly (string | null)[], momentMs: number): Heard {
    const { writes, countsWrites, undoes } = prepared
    try {
      const heard = this.exchange([questionOf(prepared, parameters, momentMs)])
      if (writes.length > 0 && !(countsWrites && read(heard, []).rowCount === 0)) this.versions.noteWrite(writes)
      if (undoes) this.versions.noteUndone()
      return heard
    } finally {
      this.noteEnd()
    }
  }

  private noteEnd(): void {
    if (!this.isInTransaction) this.versions.noteEnd()
  }

  private prepare(text: string, momentMs: number): Prepared {
    const known = this.prepared.get(text)
    if (known) return known
    const name = `sim_${this.prepared.size}`
    const messages = Buffer.concat([serialize.parse({ name, text: withoutLocks(text) }), serialize.describe({ type: 'S', name })])
    const columns = columnsIn(this.exchange([{ messages, nowMs: momentMs }]))
    const prepared = {
      ...{ name, columns, writes: tablesWrittenBy(text) },
      ...{ countsWrites: countsWhatItWrites(text), undoes: text.startsWith('ROLLBACK'), reads: this.memory.readsOf(text) },
    }
    this.prepared.set(text, prepared)
    return prepared
  }

  /** PostgreSQL is told that this is all where that ends a transaction, and where something failed: it reads nothing else after. */
  private exchange(questions: readonly Question[]): Heard {
    const isWithin = this.status === 'T'
    const { nowMs } = questions.at(-1)!
    const sync = { messages: serialize.sync(), nowMs }
    const heard = this.wire.exchange([...this.ahead, ...questions, ...(isWithin ? [] : [sync])])
    this.ahead = []
    const failure = failureIn(heard)
    if (!isWithin) this.status = statusIn(heard)
    else if (failure) this.status = statusIn(this.wire.exchange([sync]))
    if (failure) throw failure
    return heard
  }
}

/** Several statements in one text may be more than a beginning. */
function isBegin(text: string): boolean {
  return text.startsWith('BEGIN') && !text.includes(';')
}

function parametersOf(values: readonly unknown[]): (string | null)[] {
  return values.map((value) => prepareValue(value))
}

function questionOf({ name }: Prepared, values: readonly (string | null)[], nowMs: number): Question {
  const bind = serialize.bind({ statement: name, values: values as (string | null)[] })
  return { messages: Buffer.concat([bind, serialize.execute()]), nowMs }
}
