/** PostgreSQL's types of what is compared, or stored as it is; `jsonb` is stored from a value, and compared with nothing. */
export type ColumnType = 'uuid' | 'text' | 'int' | 'boolean' | 'timestamptz' | 'text[]' | 'uuid[]' | 'inet' | 'jsonb'

/** Adds a value to a statement and says how the statement names it. */
export type Bind = (value: unknown, type: ColumnType | `${ColumnType}[]`) => string

/** One field of a record: where a statement finds it, and how it is compared. */
export interface Column<Value> {
  /** An expression over the record's table, whose alias is `r`. `$1` is the project that looks. */
  readonly sql: string
  readonly type: ColumnType
  /** The column of the table that it is written to; undefined for what is worked out. */
  readonly stored?: string
  /** The condition that a record has one of `values`, where it is not equality. */
  readonly matches?: (values: readonly string[], bind: Bind) => string
  /** Never there: it carries the type of the field. */
  readonly value?: Value
}

const stored = <Value>(name: string, type: ColumnType, sql = `r.${name}`): Column<Value> => ({ sql, type, stored: name })

export const uuid = <Value extends string | null = string>(name: string): Column<NoInfer<Value>> => stored(name, 'uuid')
export const text = <Value extends string | null = string>(name: string): Column<NoInfer<Value>> => stored(name, 'text')
export const integer = <Value extends number | null = number>(name: string): Column<NoInfer<Value>> => stored(name, 'int')
export const boolean = (name: string): Column<boolean> => stored(name, 'boolean')
export const texts = (name: string): Column<string[]> => stored(name, 'text[]')
export const json = <Value>(name: string): Column<NoInfer<Value>> => stored(name, 'jsonb')
/** An address, without a length of prefix. */
export const address = <Value extends string | null = string>(name: string): Column<NoInfer<Value>> =>
  stored(name, 'inet', `host(r.${name})`)
/** An address with its length of prefix. */
export const prefix = (name: string): Column<string> => stored(name, 'inet', `r.${name}::text`)
/** What only PostgreSQL's clock writes. */
export const time = (name: string): Column<Date> => ({ sql: `r.${name}`, type: 'timestamptz' })
/** What is read and never written. */
export const worked = <Value>(type: ColumnType, sql: string, matches?: Column<Value>['matches']): Column<Value> => ({
  sql,
  type,
  ...(matches && { matches }),
})

/** Of what is never anything else: lists are filtered and sorted by it all the same. */
export const active = worked<'ACTIVE'>('text', `'ACTIVE'`)

/** What every resource of the network API has. */
export const standardColumns = {
  id: uuid('id'),
  projectId: text('project_id'),
  description: text('description'),
  revisionNumber: worked<number>('int', 'r.revision_number'),
  createdAt: time('created_at'),
  updatedAt: time('updated_at'),
}

export type Columns = Readonly<Record<string, Column<unknown>>>
export type RowOf<C extends Columns> = { [Name in keyof C]: C[Name] extends Column<infer Value> ? Value : never }

/** A table of the network API: its fields, and who sees which of its records. */
export interface Records<C extends Columns = Columns> {
  readonly table: string
  readonly columns: C
  /** The condition under which the project `$1` sees the record `r`. Whoever sees all is not asked. */
  readonly visible: string
  /** What is true of every record that is there for anybody. */
  readonly where?: string
  /** False for records that keep neither a revision nor the time of their last change. */
  readonly isRevised?: boolean
}

/** Sees what `projectId` may see, or all. */
export interface Viewer {
  projectId: string | null
  seesAll: boolean
}

export const selectList = (columns: Columns): string =>
  Object.entries(columns)
    .map(([name, { sql }]) => `${sql} AS "${name}"`)
    .join(', ')

/** `$1` and `$2` of every statement that reads: the viewer. */
export const viewerValues = ({ projectId, seesAll }: Viewer): unknown[] => [projectId, seesAll]

export function visibleCondition({ visible, where }: Records): string {
  // Both are named, whatever the rule says: PostgreSQL wants to know what every parameter is for.
  const seen = `($2::boolean OR ($1::text IS NOT NULL AND (${visible})))`
  return where === undefined ? seen : `${where} AND ${seen}`
}
