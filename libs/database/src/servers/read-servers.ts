import { CloudError, isUuid, type ProjectId, type ServerId } from '@nubo/kernel'
import type { Database, Queryable } from '../connection.js'
import { serverRowColumns, type ServerRow } from './server-row.js'

/** Columns that a list can be sorted by: the API's name, and ours. */
const sortColumns: Readonly<Record<string, string>> = {
  created_at: 'v.created_at',
  updated_at: 'v.updated_at',
  display_name: 'v.name',
  name: 'v.name',
  uuid: 'v.id',
  id: 'v.id',
  vm_state: 'v.vm_state',
  task_state: 'v.task_state',
  power_state: 'v.power_state',
  host: 'h.name',
  image_ref: 'v.image_id',
  project_id: 'v.project_id',
  user_id: 'v.user_id',
  launched_at: 'v.launched_at',
  terminated_at: 'v.terminated_at',
  key_name: 'v.key_name',
  hostname: 'v.hostname',
  display_description: 'v.description',
  launch_index: 'v.launch_index',
  availability_zone: 'v.requested_zone',
  config_drive: 'v.config_drive',
  locked: 'v.locked',
  instance_type_id: 'v.flavor_id',
  root_device_name: 'v.id',
}

export const sortableServerKeys: readonly string[] = Object.keys(sortColumns)

export interface ServerFilter {
  /** Absent: of every project. */
  projectId?: ProjectId
  userId?: string
  /** Regular expressions, as Nova takes them. */
  name?: string
  hostname?: string
  description?: string
  /** Of one of its interfaces: from its beginning. */
  addressIpv4?: string
  addressIpv6?: string
  imageId?: string
  flavorId?: string
  hostName?: string
  keyName?: string
  reservationId?: string
  uuids?: readonly string[]
  vmStates?: readonly string[]
  /** Pairs of vm_state and task_state: a server must match one. A task_state of undefined matches any. */
  states?: readonly { vmState: string; taskStates?: readonly (string | null)[] }[]
  taskState?: string
  powerState?: number
  locked?: boolean
  configDrive?: boolean
  accessIpv4?: string
  accessIpv6?: string
  launchIndex?: number
  metadata?: Readonly<Record<string, string>>
  tags?: { all?: readonly string[]; any?: readonly string[]; notAll?: readonly string[]; notAny?: readonly string[] }
  changedSince?: Date
  changedBefore?: Date
  deleted: boolean | 'either'
}

export interface ServerPage {
  sort: readonly { key: string; descending: boolean }[]
  /** The last server of the page before. */
  marker?: ServerRow
  limit: number
}

export async function findServer(db: Queryable, id: string, projectId: ProjectId | undefined): Promise<ServerRow | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await db.query<ServerRow>(
    `SELECT ${serverRowColumns} FROM servers v LEFT JOIN hosts h ON h.id = v.host_id
     WHERE v.id = $1 AND ($2::text IS NULL OR v.project_id = $2) AND v.deleted_at IS NULL`,
    [id, projectId ?? null],
  )
  return row
}

/** As `findServer`, and a deleted one too. */
export async function findServerEvenDeleted(
  db: Queryable,
  id: string,
  projectId: ProjectId | undefined,
): Promise<ServerRow | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await db.query<ServerRow>(
    `SELECT ${serverRowColumns} FROM servers v LEFT JOIN hosts h ON h.id = v.host_id
     WHERE v.id = $1 AND ($2::text IS NULL OR v.project_id = $2)`,
    [id, projectId ?? null],
  )
  return row
}

export async function readUserData(db: Queryable, ids: readonly ServerId[]): Promise<Map<ServerId, string>> {
  const rows = await db.query<{ id: ServerId; user_data: string }>(
    'SELECT id, user_data FROM servers WHERE id = ANY($1::uuid[]) AND user_data IS NOT NULL',
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row.user_data]))
}

/** What a list without details shows. */
export type ServerBrief = Pick<ServerRow, 'id' | 'name'>

export async function listServers(db: Database, filter: ServerFilter, page: ServerPage): Promise<ServerRow[]> {
  return await list<ServerRow>(db, serverRowColumns, filter, page)
}

export async function listServerBriefs(db: Database, filter: ServerFilter, page: ServerPage): Promise<ServerBrief[]> {
  return await list<ServerBrief>(db, 'v.id, v.name', filter, page)
}

async function list<Row>(db: Database, columns: string, filter: ServerFilter, page: ServerPage): Promise<Row[]> {
  const statement = new Statement()
  addConditions(statement, filter)
  const order = orderOf(page)
  if (page.marker) statement.add(afterMarker(statement, order, page.marker))
  const orderBy = order
    .map(({ column, descending }) => `${column} ${descending ? 'DESC NULLS LAST' : 'ASC NULLS FIRST'}`)
    .join(', ')
  const limit = statement.value(page.limit)
  const text = `SELECT ${columns} FROM servers v LEFT JOIN hosts h ON h.id = v.host_id
     WHERE ${statement.conditions.join(' AND ')} ORDER BY ${orderBy} LIMIT ${limit}`
  const read = isPlain(filter, page) ? db.query<Row>(text, statement.values) : db.queryOnce<Row>(text, statement.values)
  return await read.catch((error: unknown) => {
    throw (error as { code?: unknown }).code === invalidRegularExpression ? badPattern(filter) : error
  })
}

/** What clients ask for most. Its statement is kept prepared; to keep every other there can be takes more memory than there is. */
function isPlain({ projectId: _, deleted: __, tags = {}, ...others }: ServerFilter, { sort }: ServerPage): boolean {
  return [sort, Object.keys(tags), Object.keys(others)].every(({ length }) => length === 0)
}

const invalidRegularExpression = '2201B'

/** A filter by a pattern that is none, as Nova words it. */
function badPattern({ name, hostname, description, addressIpv4: ip, addressIpv6: ip6 }: ServerFilter): CloudError {
  const [parameter, pattern] = Object.entries({ name, hostname, description, ip, ip6 }).find(([, value]) => value !== undefined)!
  return new CloudError(
    'Invalid',
    `Invalid input for query parameters ${parameter}. Value: ${pattern}. '${pattern}' is not a 'regex'`,
  )
}

/** Conditions and the values that they name. */
class Statement {
  readonly conditions: string[] = ['true']
  readonly values: unknown[] = []

  value(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }

  add(condition: string): void {
    this.conditions.push(condition)
  }

  equal(column: string, value: unknown): void {
    if (value !== undefined) this.add(`${column} = ${this.value(value)}`)
  }
}

function addConditions(statement: Statement, filter: ServerFilter): void {
  if (filter.deleted !== 'either') statement.add(`v.deleted_at IS ${filter.deleted ? 'NOT ' : ''}NULL`)
  statement.equal('v.project_id', filter.projectId)
  statement.equal('v.user_id', filter.userId)
  for (const [column, pattern] of [
    ['v.name', filter.name],
    ['v.hostname', filter.hostname],
    ['v.description', filter.description],
  ] as const) {
    if (pattern !== undefined) statement.add(`${column} ~ ${statement.value(pattern)}`)
  }
  for (const [family, pattern] of [
    [4, filter.addressIpv4],
    [6, filter.addressIpv6],
  ] as const) {
    if (pattern !== undefined) statement.add(hasAddress(family, statement.value(`^(?:${pattern})`)))
  }
  statement.equal('v.image_id::text', filter.imageId)
  statement.equal('v.flavor_id', filter.flavorId)
  statement.equal('h.name', filter.hostName)
  statement.equal('v.key_name', filter.keyName)
  statement.equal('v.reservation_id', filter.reservationId)
  statement.equal('v.task_state', filter.taskState)
  statement.equal('v.power_state', filter.powerState)
  statement.equal('v.locked', filter.locked)
  statement.equal('v.config_drive', filter.configDrive)
  statement.equal('v.access_ipv4', filter.accessIpv4)
  statement.equal('v.access_ipv6', filter.accessIpv6)
  statement.equal('v.launch_index', filter.launchIndex)
  if (filter.uuids) statement.add(`v.id::text = ANY(${statement.value(filter.uuids)}::text[])`)
  if (filter.vmStates) statement.add(`v.vm_state = ANY(${statement.value(filter.vmStates)}::text[])`)
  if (filter.states) addStates(statement, filter.states)
  if (filter.metadata) statement.add(`v.metadata @> ${statement.value(filter.metadata)}::jsonb`)
  if (filter.changedSince) statement.add(`v.updated_at >= ${statement.value(filter.changedSince)}`)
  if (filter.changedBefore) statement.add(`v.updated_at <= ${statement.value(filter.changedBefore)}`)
  addTags(statement, filter.tags ?? {})
}

function hasAddress(family: 4 | 6, pattern: string): string {
  return `EXISTS (SELECT FROM ports p JOIN port_addresses a ON a.port_id = p.id
    WHERE p.server_id = v.id AND p.gone_at IS NULL AND family(a.address) = ${family} AND host(a.address) ~ ${pattern})`
}

function addStates(statement: Statement, states: NonNullable<ServerFilter['states']>): void {
  const each = states.map(({ vmState, taskStates }) => {
    const vm = `v.vm_state = ${statement.value(vmState)}`
    if (!taskStates) return vm
    return `(${vm} AND COALESCE(v.task_state, '') = ANY(${statement.value(taskStates.map((state) => state ?? ''))}::text[]))`
  })
  statement.add(each.length === 0 ? 'false' : `(${each.join(' OR ')})`)
}

function addTags(statement: Statement, tags: NonNullable<ServerFilter['tags']>): void {
  if (tags.all) statement.add(`v.tags @> ${statement.value(tags.all)}::text[]`)
  if (tags.any) statement.add(`v.tags && ${statement.value(tags.any)}::text[]`)
  if (tags.notAll) statement.add(`NOT v.tags @> ${statement.value(tags.notAll)}::text[]`)
  if (tags.notAny) statement.add(`NOT v.tags && ${statement.value(tags.notAny)}::text[]`)
}

interface Order {
  column: string
  descending: boolean
}

/** Newest first, and always down to the id, so that pages neither repeat nor skip a server. */
function orderOf(page: ServerPage): Order[] {
  const order = page.sort.map(({ key, descending }) => ({ column: sortColumns[key] ?? 'v.created_at', descending }))
  const direction = order.at(-1)?.descending ?? true
  for (const column of ['v.created_at', 'v.id'])
    if (!order.some((each) => each.column === column)) order.push({ column, descending: direction })
  return order
}

/** Rows that sort after the marker's: compared with the marker's own row, so that no value is written twice. */
function afterMarker(statement: Statement, order: readonly Order[], marker: ServerRow): string {
  const id = statement.value(marker.id)
  const of = (column: string) =>
    `(SELECT ${column.replace(/^([vh])\./, 'm$1.')} FROM servers mv LEFT JOIN hosts mh ON mh.id = mv.host_id WHERE mv.id = ${id})`
  const alternatives = order.map(({ column, descending }, index) => {
    const equals = order.slice(0, index).map((earlier) => `${earlier.column} IS NOT DISTINCT FROM ${of(earlier.column)}`)
    const follows = descending
      ? `(${column} < ${of(column)} OR (${column} IS NULL AND ${of(column)} IS NOT NULL))`
      : `(${column} > ${of(column)} OR (${column} IS NOT NULL AND ${of(column)} IS NULL))`
    return `(${[...equals, follows].join(' AND ')})`
  })
  return `(${alternatives.join(' OR ')})`
}
