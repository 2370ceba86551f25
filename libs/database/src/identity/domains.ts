import type { Queryable } from '../connection.js'

export interface DomainRow {
  id: string
  name: string
  description: string
  enabled: boolean
}

const columns = 'id, name, description, enabled'

export interface DomainFilter {
  name?: string | undefined
  enabled?: boolean | undefined
}

export async function findDomain(db: Queryable, id: string): Promise<DomainRow | undefined> {
  return (await db.query<DomainRow>(`SELECT ${columns} FROM domains WHERE id = $1`, [id]))[0]
}

/** By name, oldest record first among none: names are unique. */
export function listDomains(db: Queryable, { name, enabled }: DomainFilter): Promise<DomainRow[]> {
  return db.query<DomainRow>(
    `SELECT ${columns} FROM domains
     WHERE ($1::text IS NULL OR name = $1) AND ($2::boolean IS NULL OR enabled = $2) ORDER BY name`,
    [name ?? null, enabled ?? null],
  )
}

/** Throws a unique violation of domains_name_key where the name is taken. */
export async function insertDomain(db: Queryable, { id, name, description, enabled }: DomainRow): Promise<DomainRow> {
  const rows = await db.query<DomainRow>(
    `INSERT INTO domains (id, name, description, enabled) VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
    [id, name, description, enabled],
  )
  return rows[0]!
}

export async function updateDomain(
  db: Queryable,
  id: string,
  { name, description, enabled }: Partial<Omit<DomainRow, 'id'>>,
): Promise<DomainRow | undefined> {
  const rows = await db.query<DomainRow>(
    `UPDATE domains SET name = COALESCE($2, name), description = COALESCE($3, description), enabled = COALESCE($4, enabled)
     WHERE id = $1 RETURNING ${columns}`,
    [id, name ?? null, description ?? null, enabled ?? null],
  )
  return rows[0]
}

/** False where projects or users are left in it, or where it is not there. */
export async function deleteEmptyDomain(db: Queryable, id: string): Promise<boolean> {
  const touched = await db.execute(
    `DELETE FROM domains d WHERE id = $1
       AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.domain_id = d.id)
       AND NOT EXISTS (SELECT 1 FROM users u WHERE u.domain_id = d.id)`,
    [id],
  )
  return touched === 1
}
