import type { Queryable } from '../connection.js'
import { isMeant, isMeantDomain, loginColumns, type DomainReference, type LoginUser, type ProjectReference } from './logins.js'
import { systemTargetId, type TargetKind } from './role-assignments.js'
import type { RoleRow } from './roles.js'

/** What a token is to be scoped to. 'default': the user's default project. */
export type TokenTarget =
  | { kind: 'default' | 'unscoped' | 'system' }
  | { kind: 'project'; project: ProjectReference }
  | { kind: 'domain'; domain: DomainReference }

export interface LoginProject {
  id: string
  name: string
  enabled: boolean
  domainId: string
  domainName: string
  domainEnabled: boolean
}

export interface LoginDomain {
  id: string
  name: string
  enabled: boolean
}

/** All that a token is made from, or told with, as it is at one moment. */
export interface TokenRecords {
  user: LoginUser
  /** The target, where it is one of these and there. */
  project: LoginProject | undefined
  domain: LoginDomain | undefined
  /** The roles that the user was given on the target. */
  given: RoleRow[]
  /** The roles of the names that were asked for, whether given or not. */
  named: RoleRow[]
  /** PostgreSQL's time, which is a token's time of issue. */
  nowMs: number
}

const roles = `json_agg(json_build_object('id', r.id, 'name', r.name, 'description', r.description) ORDER BY r.name)`

const projects = `SELECT p.id, p.name, p.enabled, pd.id AS "domainId", pd.name AS "domainName", pd.enabled AS "domainEnabled"
  FROM projects p JOIN domains pd ON pd.id = p.domain_id`

interface Source {
  /** Selects the target's row for the user `named`, with parameters from $4 on. */
  sql: string
  values?: readonly string[]
  assignedAs: TargetKind | null
}

function sourceOf(target: TokenTarget): Source {
  switch (target.kind) {
    case 'unscoped':
      return { sql: 'SELECT NULL AS id WHERE false', assignedAs: null }
    case 'system':
      return { sql: `SELECT '${systemTargetId}' AS id`, assignedAs: 'system' }
    case 'default':
      return { sql: `${projects} WHERE p.id = named."defaultProjectId"`, assignedAs: 'project' }
    case 'project': {
      const { sql, values } = isMeant(target.project, 'p', 'pd', 4)
      return { sql: `${projects} WHERE ${sql}`, values, assignedAs: 'project' }
    }
    case 'domain': {
      const { sql, values } = isMeantDomain(target.domain, 'td', 4)
      return { sql: `SELECT td.id, td.name, td.enabled FROM domains td WHERE ${sql}`, values, assignedAs: 'domain' }
    }
  }
}

/** Undefined where there is no such user. One statement: it stands in every login. */
export async function readTokenRecords(
  db: Queryable,
  userId: string,
  target: TokenTarget,
  roleNames: readonly string[],
): Promise<TokenRecords | undefined> {
  const { sql, values = [], assignedAs } = sourceOf(target)
  const [row] = await db.query<{
    user: LoginUser
    target: unknown
    given: RoleRow[] | null
    named: RoleRow[] | null
    now: number
  }>(
    `SELECT to_json(named) AS user, to_json(target) AS target, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
       (SELECT ${roles} FROM role_assignments a JOIN roles r ON r.id = a.role_id
        WHERE a.user_id = named.id AND a.target_kind = $2 AND a.target_id = target.id) AS given,
       (SELECT ${roles} FROM roles r WHERE r.name = ANY($3::text[])) AS named
     FROM (SELECT ${loginColumns} FROM users u JOIN domains d ON d.id = u.domain_id WHERE u.id = $1) named
     LEFT JOIN LATERAL (${sql}) target ON true`,
    [userId, assignedAs, roleNames, ...values],
  )
  if (!row) return undefined
  return {
    user: row.user,
    project: assignedAs === 'project' ? ((row.target as LoginProject | null) ?? undefined) : undefined,
    domain: assignedAs === 'domain' ? ((row.target as LoginDomain | null) ?? undefined) : undefined,
    given: row.given ?? [],
    named: row.named ?? [],
    nowMs: row.now,
  }
}
