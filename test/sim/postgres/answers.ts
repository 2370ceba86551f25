import type { StatementResult } from '@nubo/database'
import pg from 'pg'
import type { Wire } from './wire.js'

export type Heard = ReturnType<Wire['exchange']>

/** A column of a statement's rows, and how its text becomes a value. */
export interface Column {
  name: string
  parse: (text: string) => unknown
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
export function read(heard: Heard, columns: readonly Column[]): StatementResult {
  const result: StatementResult = { rows: [], rowCount: null }
  for (const message of heard) {
    if (message.name === 'dataRow') result.rows.push(rowOf(columns, (message as Heard[number] & DataRow).fields))
    else if (message.name === 'commandComplete') result.rowCount = countIn((message as Heard[number] & { text: string }).text)
  }
  return result
}

/** What went wrong, if anything did. */
export function failureIn(heard: Heard): Error | undefined {
  return heard.find(({ name }) => name === 'error') as unknown as Error | undefined
}

/** Whether the session is in a transaction now, as PostgreSQL's letter for it. */
export function statusIn(heard: Heard): string {
  return (heard.at(-1) as Heard[number] & { status: string }).status
}

/** What was answered to each of several statements that were asked at once. */
export function split(heard: Heard): Heard[] {
  const parts: Heard[] = [[]]
  for (const message of heard) {
    parts.at(-1)!.push(message)
    if (message.name === 'commandComplete') parts.push([])
  }
  return parts
}

function countIn(text: string): number {
  return Number(text.slice(text.lastIndexOf(' ') + 1))
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index++) {
    const { name, parse } = columns[index]!
    const text = fields[index] ?? null
    row[name] = text === null ? null : parse(text)
  }
  return row
}
