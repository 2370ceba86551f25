import type { Queryable, Transaction } from '../connection.js'
import type { RoleRow } from './roles.js'
import type { TargetKind } from './role-assignments.js'

/** A user as a login sees it: with its domain, and what its password is checked against. */
export interface LoginUser {
  id: string
  name: string
  enabled: boolean
  passwordHash: string | null
  defaultProjectId: string | null
  domainId: string
  domainName: string
  domainEnabled: boolean
}

const loginColumns = `u.id, u.name, u.enabled, u.password_hash AS "passwordHash", u.default_project_id AS "defaultProjectId",
  d.id AS "domainId", d.name AS "domainName", d.enabled AS "domainEnabled"`

/** How a request names a user: by id, or by name within a domain, which is named by id or name. */
export type UserReference = { id: string } | { name: string; domain: DomainReference }
export type DomainReference = { id: string } | { name: string }

export async function findLoginUser(db: Queryable, reference: UserReference): Promise<LoginUser | undefined> {
  if ('id' in reference)
    return (
      await db.query<LoginUser>(`SELECT ${loginColumns} FROM users u JOIN domains d ON d.id = u.domain_id WHERE u.id = $1`, [
        reference.id,
      ])
    )[0]
  const column = 'id' in reference.domain ? 'id' : 'name'
  const domain = 'id' in reference.domain ? reference.domain.id : reference.domain.name
  const rows = await db.query<LoginUser>(
    `SELECT ${loginColumns} FROM users u JOIN domains d ON d.id = u.domain_id WHERE u.name = $1 AND d.${column} = $2`,
    [reference.name, domain],
  )
  return rows[0]
}

export interface LoginProject {
  id: string
  name: string
  enabled: boolean
  domainId: string
  domainName: string
  domainEnabled: boolean
}

export type ProjectReference = { id: string } | { name: string; domain: DomainReference }

const projectColumns =
  'p.id, p.name, p.enabled, d.id AS "domainId", d.name AS "domainName", d.enabled AS "domainEnabled" FROM projects p JOIN domains d ON d.id = p.domain_id'

export async function findLoginProject(db: Queryable, reference: ProjectReference): Promise<LoginProject | undefined> {
  if ('id' in reference) return (await db.query<LoginProject>(`SELECT ${projectColumns} WHERE p.id = $1`, [reference.id]))[0]
  const column = 'id' in reference.domain ? 'id' : 'name'
  const domain = 'id' in reference.domain ? reference.domain.id : reference.domain.name
  return (
    await db.query<LoginProject>(`SELECT ${projectColumns} WHERE p.name = $1 AND d.${column} = $2`, [reference.name, domain])
  )[0]
}

export async function findLoginDomain(
  db: Queryable,
  reference: DomainReference,
): Promise<{ id: string; name: string; enabled: boolean } | undefined> {
  const column = 'id' in reference ? 'id' : 'name'
  const rows = await db.query<{ id: string; name: string; enabled: boolean }>(
    `SELECT id, name, enabled FROM domains WHERE ${column} = $1`,
    ['id' in reference ? reference.id : reference.name],
  )
  return rows[0]
}

const roleObject = `json_build_object('id', r.id, 'name', r.name, 'description', r.description)`

/**
 * The roles that `userId` was given on a target, those called `impliable` whether given or not, and PostgreSQL's time in
 * whole ms, which is a token's time of issue. One statement: it stands in every login.
 */
export async function readRolesNow(
  tx: Transaction,
  userId: string,
  target: { kind: TargetKind; id: string } | undefined,
  impliable: readonly string[],
): Promise<{ nowMs: number; roles: RoleRow[]; impliable: RoleRow[] }> {
  const [row] = await tx.query<{ now: number; roles: RoleRow[] | null; impliable: RoleRow[] | null }>(
    `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
       (SELECT json_agg(${roleObject} ORDER BY r.name) FROM role_assignments a JOIN roles r ON r.id = a.role_id
        WHERE a.user_id = $1 AND a.target_kind = $2 AND a.target_id = $3) AS roles,
       (SELECT json_agg(${roleObject} ORDER BY r.name) FROM roles r WHERE r.name = ANY($4::text[])) AS impliable`,
    [userId, target?.kind ?? null, target?.id ?? null, impliable],
  )
  return { nowMs: row!.now, roles: row!.roles ?? [], impliable: row!.impliable ?? [] }
}
