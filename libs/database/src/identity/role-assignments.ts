import type { Queryable } from '../connection.js'
import type { RoleRow } from './roles.js'

export type TargetKind = 'project' | 'domain' | 'system'

/** The id of the one system target. */
export const systemTargetId = 'all'

export interface AssignmentTarget {
  kind: TargetKind
  id: string
}

export interface AssignmentRow {
  userId: string
  roleId: string
  targetKind: TargetKind
  targetId: string
  userName: string
  userDomainId: string
  userDomainName: string
  roleName: string
  targetName: string | null
  targetDomainId: string | null
  targetDomainName: string | null
}

export interface AssignmentFilter {
  userId?: string | undefined
  roleId?: string | undefined
  target?: { kind: TargetKind; id?: string } | undefined
}

/** Gives a role; nothing happens where it is there already. */
export async function assignRole(db: Queryable, userId: string, roleId: string, target: AssignmentTarget): Promise<void> {
  await db.execute(
    `INSERT INTO role_assignments (user_id, role_id, target_kind, target_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [userId, roleId, target.kind, target.id],
  )
}

/** Takes a role away; false where it was not there. */
export async function unassignRole(db: Queryable, userId: string, roleId: string, target: AssignmentTarget): Promise<boolean> {
  const touched = await db.execute(
    'DELETE FROM role_assignments WHERE user_id = $1 AND role_id = $2 AND target_kind = $3 AND target_id = $4',
    [userId, roleId, target.kind, target.id],
  )
  return touched === 1
}

/** The roles that `userId` was given on `target`, without those they imply. */
export function listAssignedRoles(db: Queryable, userId: string, target: AssignmentTarget): Promise<RoleRow[]> {
  return db.query<RoleRow>(
    `SELECT r.id, r.name, r.description FROM role_assignments a JOIN roles r ON r.id = a.role_id
     WHERE a.user_id = $1 AND a.target_kind = $2 AND a.target_id = $3 ORDER BY r.name`,
    [userId, target.kind, target.id],
  )
}

export function listAssignments(db: Queryable, { userId, roleId, target }: AssignmentFilter): Promise<AssignmentRow[]> {
  return db.query<AssignmentRow>(
    `SELECT a.user_id AS "userId", a.role_id AS "roleId", a.target_kind AS "targetKind", a.target_id AS "targetId",
            u.name AS "userName", u.domain_id AS "userDomainId", ud.name AS "userDomainName", r.name AS "roleName",
            COALESCE(p.name, d.name) AS "targetName", pd.id AS "targetDomainId", pd.name AS "targetDomainName"
     FROM role_assignments a
     JOIN users u ON u.id = a.user_id JOIN domains ud ON ud.id = u.domain_id JOIN roles r ON r.id = a.role_id
     LEFT JOIN projects p ON a.target_kind = 'project' AND p.id = a.target_id LEFT JOIN domains pd ON pd.id = p.domain_id
     LEFT JOIN domains d ON a.target_kind = 'domain' AND d.id = a.target_id
     WHERE ($1::text IS NULL OR a.user_id = $1) AND ($2::text IS NULL OR a.role_id = $2)
       AND ($3::text IS NULL OR a.target_kind = $3) AND ($4::text IS NULL OR a.target_id = $4)
     ORDER BY u.name, u.id, a.target_kind, a.target_id, r.name`,
    [userId ?? null, roleId ?? null, target?.kind ?? null, target?.id ?? null],
  )
}

/** The domains on which `userId` has a role and to which a token can be scoped. */
export function listDomainsOfUser(
  db: Queryable,
  userId: string,
): Promise<{ id: string; name: string; description: string; enabled: boolean }[]> {
  return db.query(
    `SELECT DISTINCT d.id, d.name, d.description, d.enabled FROM role_assignments a JOIN domains d ON d.id = a.target_id
     WHERE a.user_id = $1 AND a.target_kind = 'domain' AND d.enabled ORDER BY d.name`,
    [userId],
  )
}

export async function hasSystemRole(db: Queryable, userId: string): Promise<boolean> {
  const rows = await db.query(`SELECT 1 FROM role_assignments WHERE user_id = $1 AND target_kind = 'system' LIMIT 1`, [userId])
  return rows.length > 0
}
