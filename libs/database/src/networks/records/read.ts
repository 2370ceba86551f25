import { isUuid } from '@nubo/kernel'
import type { Database, Queryable, Transaction } from '../../connection.js'
import {
  selectList,
  viewerValues,
  visibleCondition,
  type Bind,
  type Column,
  type Columns,
  type Records,
  type RowOf,
  type Viewer,
} from './columns.js'

export type RecordCondition<Name extends string = string> =
  | { column: Name; oneOf: readonly string[] }
  /** Has all of `tags`, or any of them; or has not. */
  | { tags: readonly string[]; has: 'all' | 'any' | 'not all' | 'not any' }
  | { changedSince: Date }

export interface RecordListing<Name extends string = string> {
  viewer: Viewer
  conditions: readonly RecordCondition<Name>[]
  /** Completed by the id, so that the order is total. */
  sort: readonly { column: Name; descending: boolean }[]
  limit: number | undefined
  /** The id of a record that the viewer sees: the page begins behind it, or ends before it. */
  marker: string | undefined
  /** The page before the marker, or the last one; in the usual order all the same. */
  backwards: boolean
}

/** One page of records. */
export async function listRecords<C extends Columns>(
  database: Database,
  records: Records<C>,
  listing: RecordListing<keyof C & string>,
): Promise<RowOf<C>[]> {
  const values = viewerValues(listing.viewer)
  const bind: Bind = (value, type) => `$${values.push(value)}::${type}`
  const { sort, marker, limit, backwards } = listing
  const filters = listing.conditions.map((each) => conditionSql(records, each, bind)).join(' AND ')
  const markerId = marker && bind(marker, 'uuid')
  // The marker has its place also where it is none of those that are asked for, be it not any more.
  const wanted = markerId ? `(${filters || 'true'} OR r.id = ${markerId})` : filters || 'true'
  const order = [...sort.map(({ column, descending }) => `"${column}"${descending ? ' DESC' : ''}`), '"id"'].join(', ')
  const found = `SELECT ${selectList(records.columns)} FROM ${records.table} r WHERE ${visibleCondition(records)} AND ${wanted}`
  const numbered = `SELECT *, row_number() OVER (ORDER BY ${order}) AS "placeInList" FROM (${found}) found`
  // What is sorted by may be null, and is compared with nothing then: places in the list can be.
  const from = `WITH listed AS (${numbered}) SELECT * FROM listed`
  const place = markerId && `(SELECT "placeInList" FROM listed WHERE "id" = ${markerId})`
  const where = place ? ` WHERE "placeInList" ${backwards ? '<' : '>'} ${place}` : ''
  const most = limit === undefined ? '' : ` LIMIT ${bind(limit, 'int')}`
  const statement = `${from}${where} ORDER BY "placeInList"${backwards ? ' DESC' : ''}${most}`
  const rows = await database.queryOnce<RowOf<C> & { placeInList?: number }>(statement, values)
  for (const row of rows) delete row.placeInList
  return backwards ? rows.reverse() : rows
}

/** The record with that id, where the viewer sees it. */
export async function findRecord<C extends Columns>(
  db: Queryable,
  records: Records<C>,
  viewer: Viewer,
  id: string,
): Promise<RowOf<C> | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await db.query<RowOf<C>>(`${selectVisible(records)} AND r.id = $3`, [...viewerValues(viewer), id])
  return row
}

/**
 * Until the transaction ends: for `use` it is not deleted, nor its use forbidden; for `change` nobody else changes it; for
 * `deletion`, of itself or of the right to use it, nobody makes anything that belongs to it. Who uses it waits for nobody else
 * who does, or who changes it.
 */
export type LockFor = 'use' | 'change' | 'deletion'

const locks: Record<LockFor, string> = {
  use: 'FOR KEY SHARE OF r',
  change: 'FOR NO KEY UPDATE OF r',
  deletion: 'FOR UPDATE OF r',
}

/**
 * As `findRecord`, and locked. It is read once it is: what somebody else did of it while its lock was waited for may be in other
 * tables, which the statement that waits sees as they were before.
 */
export async function lockRecord<C extends Columns>(
  tx: Transaction,
  records: Records<C>,
  viewer: Viewer,
  id: string,
  lockFor: LockFor = 'change',
): Promise<RowOf<C> | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await lockRecords(tx, records, viewer, [id], lockFor)
  return row
}

/** As `lockRecord`, of several: those that the viewer sees, in the order of `ids`. They are locked in the order of their ids. */
export async function lockRecords<C extends Columns>(
  tx: Transaction,
  records: Records<C>,
  viewer: Viewer,
  ids: readonly string[],
  lockFor: LockFor,
): Promise<RowOf<C>[]> {
  const condition = `${visibleCondition(records)} AND r.id = ANY($3::uuid[])`
  const statement = `SELECT FROM ${records.table} r WHERE ${condition} ORDER BY r.id ${locks[lockFor]}`
  const locked = await tx.execute(statement, [...viewerValues(viewer), ids])
  return locked === 0 ? [] : await readRecords(tx, records, viewer, ids)
}

/** The records with those ids that the viewer sees, in the order of `ids`. */
export async function readRecords<C extends Columns>(
  db: Queryable,
  records: Records<C>,
  viewer: Viewer,
  ids: readonly string[],
): Promise<RowOf<C>[]> {
  const statement = `${selectVisible(records)} AND r.id = ANY($3::uuid[]) ORDER BY array_position($3::uuid[], r.id)`
  return await db.query<RowOf<C>>(statement, [...viewerValues(viewer), ids])
}

const selectVisible = (records: Records) =>
  `SELECT ${selectList(records.columns)} FROM ${records.table} r WHERE ${visibleCondition(records)}`

function conditionSql({ columns }: Records, condition: RecordCondition, bind: Bind): string {
  if ('column' in condition) return oneOf(columns[condition.column]!, condition.oneOf, bind)
  if ('changedSince' in condition) return `r.updated_at >= ${bind(condition.changedSince, 'timestamptz')}`
  const operator = condition.has.endsWith('all') ? '@>' : '&&'
  const held = `r.tags ${operator} ${bind(condition.tags, 'text[]')}`
  return condition.has.startsWith('not') ? `NOT (${held})` : held
}

function oneOf(column: Column<unknown>, values: readonly string[], bind: Bind): string {
  if (column.matches) return column.matches(values, bind)
  switch (column.type) {
    case 'uuid':
      return `${column.sql} = ANY(${bind(values.filter(isUuid), 'uuid[]')})`
    case 'int':
      return `${column.sql} = ANY(${bind(values.filter(isInteger).map(Number), 'int[]')})`
    case 'boolean':
      return `${column.sql} = ANY(${bind(values, 'boolean[]')})`
    case 'text[]':
      return `${column.sql} && ${bind(values, 'text[]')}`
    default:
      return `${column.sql}::text = ANY(${bind(values, 'text[]')})`
  }
}

const isInteger = (text: string) => /^-?\d{1,9}$/.test(text)
