import type { Queryable } from '../connection.js'

export interface ProjectRow {
  id: string
  domainId: string
  name: string
  description: string
  enabled: boolean
  /** What clients keep with it and the cloud does not know. */
  extra: Record<string, unknown>
}

const columns = 'id, domain_id AS "domainId", name, description, enabled, extra'

export type NewProjectRow = Omit<ProjectRow, 'extra'> & Partial<Pick<ProjectRow, 'extra'>>

export interface ProjectFilter {
  domainId?: string | undefined
  name?: string | undefined
  enabled?: boolean | undefined
}

export async function findProject(db: Queryable, id: string): Promise<ProjectRow | undefined> {
  return (await db.query<ProjectRow>(`SELECT ${columns} FROM projects WHERE id = $1`, [id]))[0]
}

export function listProjects(db: Queryable, { domainId, name, enabled }: ProjectFilter): Promise<ProjectRow[]> {
  return db.query<ProjectRow>(
    `SELECT ${columns} FROM projects
     WHERE ($1::text IS NULL OR domain_id = $1) AND ($2::text IS NULL OR name = $2) AND ($3::boolean IS NULL OR enabled = $3)
     ORDER BY name, id`,
    [domainId ?? null, name ?? null, enabled ?? null],
  )
}

/** The projects on which `userId` has a role; with `usable`, those alone that a token can be scoped to. */
export function listProjectsOfUser(db: Queryable, userId: string, { usable }: { usable: boolean }): Promise<ProjectRow[]> {
  return db.query<ProjectRow>(
    `SELECT DISTINCT p.id, p.domain_id AS "domainId", p.name, p.description, p.enabled, p.extra
     FROM role_assignments a JOIN projects p ON p.id = a.target_id JOIN domains d ON d.id = p.domain_id
     WHERE a.user_id = $1 AND a.target_kind = 'project' AND (NOT $2 OR (p.enabled AND d.enabled)) ORDER BY p.name, p.id`,
    [userId, usable],
  )
}

/** Throws a unique violation of projects_domain_id_name_key where the name is taken. */
export async function insertProject(
  db: Queryable,
  { id, domainId, name, description, enabled, extra = {} }: NewProjectRow,
): Promise<ProjectRow> {
  const rows = await db.query<ProjectRow>(
    `INSERT INTO projects (id, domain_id, name, description, enabled, extra) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
    [id, domainId, name, description, enabled, extra],
  )
  return rows[0]!
}

/** Undefined leaves a field; `extra` is added to what is kept already. */
export async function updateProject(
  db: Queryable,
  id: string,
  { name, description, enabled, extra = {} }: Partial<Pick<ProjectRow, 'name' | 'description' | 'enabled' | 'extra'>>,
): Promise<ProjectRow | undefined> {
  const rows = await db.query<ProjectRow>(
    `UPDATE projects SET name = COALESCE($2, name), description = COALESCE($3, description), enabled = COALESCE($4, enabled),
       extra = extra || $5::jsonb
     WHERE id = $1 RETURNING ${columns}`,
    [id, name ?? null, description ?? null, enabled ?? null, extra],
  )
  return rows[0]
}

export async function countServersOfProject(db: Queryable, id: string): Promise<number> {
  const rows = await db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM servers WHERE project_id = $1 AND deleted_at IS NULL',
    [id],
  )
  return rows[0]!.count
}

/** Removes a project with its role assignments; false where it is not there. */
export async function deleteProject(db: Queryable, id: string): Promise<boolean> {
  await db.execute(`DELETE FROM role_assignments WHERE target_kind = 'project' AND target_id = $1`, [id])
  await db.execute('DELETE FROM flavor_access WHERE project_id = $1', [id])
  // Servers that it may still have go on counting, so that what they free is there to be freed.
  await db.execute('DELETE FROM project_quotas WHERE project_id = $1 AND used_instances = 0', [id])
  return (await db.execute('DELETE FROM projects WHERE id = $1', [id])) === 1
}
