import type { Queryable } from '../connection.js'

export interface RoleRow {
  id: string
  name: string
  description: string
}

const columns = 'id, name, description'

export async function findRole(db: Queryable, id: string): Promise<RoleRow | undefined> {
  return (await db.query<RoleRow>(`SELECT ${columns} FROM roles WHERE id = $1`, [id]))[0]
}

export function listRoles(db: Queryable, { name }: { name?: string | undefined }): Promise<RoleRow[]> {
  return db.query<RoleRow>(`SELECT ${columns} FROM roles WHERE $1::text IS NULL OR name = $1 ORDER BY name`, [name ?? null])
}

/** Throws a unique violation of roles_name_key where the name is taken. */
export async function insertRole(db: Queryable, role: RoleRow): Promise<RoleRow> {
  const rows = await db.query<RoleRow>(`INSERT INTO roles (id, name, description) VALUES ($1, $2, $3) RETURNING ${columns}`, [
    role.id,
    role.name,
    role.description,
  ])
  return rows[0]!
}

export async function updateRole(
  db: Queryable,
  id: string,
  { name, description }: Partial<Omit<RoleRow, 'id'>>,
): Promise<RoleRow | undefined> {
  const rows = await db.query<RoleRow>(
    `UPDATE roles SET name = COALESCE($2, name), description = COALESCE($3, description) WHERE id = $1 RETURNING ${columns}`,
    [id, name ?? null, description ?? null],
  )
  return rows[0]
}

/** Removes a role with its assignments; false where it is not there. */
export async function deleteRole(db: Queryable, id: string): Promise<boolean> {
  await db.execute('DELETE FROM role_assignments WHERE role_id = $1', [id])
  return (await db.execute('DELETE FROM roles WHERE id = $1', [id])) === 1
}
