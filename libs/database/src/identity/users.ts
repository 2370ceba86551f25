import type { Queryable } from '../connection.js'

export interface UserRow {
  id: string
  domainId: string
  name: string
  description: string
  email: string | null
  enabled: boolean
  defaultProjectId: string | null
  /** What clients keep with it and the cloud does not know. */
  extra: Record<string, unknown>
}

export type NewUserRow = Omit<UserRow, 'extra'> & Partial<Pick<UserRow, 'extra'>> & { passwordHash: string | null }

const columns = 'id, domain_id AS "domainId", name, description, email, enabled, default_project_id AS "defaultProjectId", extra'

export interface UserFilter {
  domainId?: string | undefined
  name?: string | undefined
  enabled?: boolean | undefined
}

export async function findUser(db: Queryable, id: string): Promise<UserRow | undefined> {
  return (await db.query<UserRow>(`SELECT ${columns} FROM users WHERE id = $1`, [id]))[0]
}

export function listUsers(db: Queryable, { domainId, name, enabled }: UserFilter): Promise<UserRow[]> {
  return db.query<UserRow>(
    `SELECT ${columns} FROM users
     WHERE ($1::text IS NULL OR domain_id = $1) AND ($2::text IS NULL OR name = $2) AND ($3::boolean IS NULL OR enabled = $3)
     ORDER BY name, id`,
    [domainId ?? null, name ?? null, enabled ?? null],
  )
}

/** Throws a unique violation of users_domain_id_name_key where the name is taken. */
export async function insertUser(db: Queryable, user: NewUserRow): Promise<UserRow> {
  const rows = await db.query<UserRow>(
    `INSERT INTO users (id, domain_id, name, description, email, enabled, default_project_id, extra, password_hash, password_changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $9, $8, CASE WHEN $8::text IS NULL THEN NULL ELSE clock_timestamp() END)
     RETURNING ${columns}`,
    [
      ...[user.id, user.domainId, user.name, user.description, user.email, user.enabled, user.defaultProjectId],
      ...[user.passwordHash, user.extra ?? {}],
    ],
  )
  return rows[0]!
}

/** What may change of a user; undefined leaves it, null clears what may be null, and `extra` is added to what is kept already. */
export type UserChange = Partial<Omit<NewUserRow, 'id' | 'domainId'>>

const columnOf: Record<keyof UserChange, string> = {
  name: 'name',
  description: 'description',
  email: 'email',
  enabled: 'enabled',
  defaultProjectId: 'default_project_id',
  passwordHash: 'password_hash',
  extra: 'extra',
}

export async function updateUser(db: Queryable, id: string, change: UserChange): Promise<UserRow | undefined> {
  const keys = (Object.keys(columnOf) as (keyof UserChange)[]).filter((key) => change[key] !== undefined)
  if (keys.length === 0) return findUser(db, id)
  const assignments = keys.map((key, index) =>
    key === 'extra' ? `extra = extra || $${index + 2}::jsonb` : `${columnOf[key]} = $${index + 2}`,
  )
  if (change.passwordHash !== undefined) assignments.push('password_changed_at = clock_timestamp()')
  const rows = await db.query<UserRow>(`UPDATE users SET ${assignments.join(', ')} WHERE id = $1 RETURNING ${columns}`, [
    id,
    ...keys.map((key) => change[key]),
  ])
  return rows[0]
}

/** Removes a user with its role assignments; false where it is not there. */
export async function deleteUser(db: Queryable, id: string): Promise<boolean> {
  await db.execute('DELETE FROM role_assignments WHERE user_id = $1', [id])
  return (await db.execute('DELETE FROM users WHERE id = $1', [id])) === 1
}
