import type { Transaction } from '../../connection.js'
import type { Column, Columns, Records, RowOf } from './columns.js'

/** The fields of a record that are stored; what is left out of a new one has the table's default. */
export type NewRecord<C extends Columns> = Partial<RowOf<C>> & { id: string; projectId: string }

/** Writes a new record. */
export async function insertRecord<C extends Columns>(
  tx: Transaction,
  { table, columns }: Records<C>,
  record: NewRecord<C>,
): Promise<void> {
  const given = storedColumns(columns).filter(([name]) => (record as Values)[name] !== undefined)
  const names = given.map(([, { stored }]) => `"${stored}"`).join(', ')
  const places = given.map(([, { type }], index) => `$${index + 1}::${type}`).join(', ')
  await tx.execute(
    `INSERT INTO ${table} (${names}) VALUES (${places})`,
    given.map(([name, { type }]) => toPostgres((record as Values)[name], type)),
  )
}

/**
 * Writes `changes` of a record that is locked, raises its revision and returns true; false where they change nothing.
 * All of its fields are written, so that the statement is the same whatever was changed.
 */
export async function updateRecord<C extends Columns>(
  tx: Transaction,
  { table, columns, isRevised = true }: Records<C>,
  locked: RowOf<C>,
  changes: Partial<RowOf<C>>,
): Promise<boolean> {
  const present = Object.entries(changes).filter(([, value]) => value !== undefined)
  if (present.every(([name, value]) => isSame((locked as Values)[name], value))) return false
  const changed: Values = { ...(locked as Values), ...Object.fromEntries(present) }
  const written = storedColumns(columns).filter(([name]) => name !== 'id')
  const sets = written.map(([, { stored, type }], index) => `"${stored}" = $${index + 2}::${type}`).join(', ')
  await tx.execute(`UPDATE ${table} SET ${sets}${isRevised ? `, ${revised}` : ''} WHERE id = $1`, [
    changed['id'],
    ...written.map(([name, { type }]) => toPostgres(changed[name], type)),
  ])
  return true
}

export async function deleteRecord(tx: Transaction, { table }: Records, id: string): Promise<void> {
  await tx.execute(`DELETE FROM ${table} WHERE id = $1`, [id])
}

/** Something that belongs to the record was changed: its revision rises. */
export async function touchRecord(tx: Transaction, { table }: Records, id: string): Promise<void> {
  await tx.execute(`UPDATE ${table} SET ${revised} WHERE id = $1`, [id])
}

/** Puts `tags` in the place of those that the record has. */
export async function writeRecordTags(tx: Transaction, { table }: Records, id: string, tags: readonly string[]): Promise<void> {
  await tx.execute(`UPDATE ${table} SET tags = $2, ${revised} WHERE id = $1`, [id, tags])
}

const revised = 'revision_number = revision_number + 1, updated_at = clock_timestamp()'

type Values = Record<string, unknown>

const storedColumns = (columns: Columns): [string, Column<unknown>][] =>
  Object.entries(columns).filter(([, { stored }]) => stored !== undefined)

const toPostgres = (value: unknown, type: Column<unknown>['type']) =>
  type === 'jsonb' && value !== null ? JSON.stringify(value) : value

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
