import type { StatementResult } from '@nubo/database'
import pg from 'pg'
import type { Wire } from './wire.js'

type Heard = ReturnType<Wire['exchange']>

/** A column of a statement's rows, and how its text becomes a value. */
export interface Column {
  name: string
  parse: (text: string) => unknown
}

export interface Reading extends StatementResult {
  /** Whether the session is in a transaction, as PostgreSQL's letter for it. */
  status: string
  failure?: Error
}

// What pg-protocol reads, and has no public types for.
interface RowDescription {
  fields: { name: string; dataTypeID: number }[]
}
interface DataRow {
  fields: (string | null)[]
}

/** The columns that a description of a statement names. */
export function columnsIn(heard: Heard): Column[] {
  const description = heard.find(({ name }) => name === 'rowDescription') as (Heard[number] & RowDescription) | undefined
  return (description?.fields ?? []).map(({ name, dataTypeID }) => ({ name, parse: pg.types.getTypeParser(dataTypeID) }))
}

/** What PostgreSQL answered, with its rows as node-postgres gives them. */
export function read(heard: Heard, columns: readonly Column[]): Reading {
  const reading: Reading = { rows: [], rowCount: null, status: 'I' }
  for (const message of heard) {
    if (message.name === 'dataRow') reading.rows.push(rowOf(columns, (message as Heard[number] & DataRow).fields))
    else if (message.name === 'commandComplete') reading.rowCount = countIn((message as Heard[number] & { text: string }).text)
    else if (message.name === 'error') reading.failure ??= message as unknown as Error
    else if (message.name === 'readyForQuery') reading.status = (message as Heard[number] & { status: string }).status
  }
  return reading
}

function countIn(text: string): number {
  return Number(/ (\d+)$/.exec(text)?.[1] ?? Number.NaN)
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const [index, column] of columns.entries()) {
    const text = fields[index] ?? null
    row[column.name] = text === null ? null : column.parse(text)
  }
  return row
}
