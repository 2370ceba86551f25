import type { Queryable } from '../connection.js'
import { countsStill } from './login-failures.js'

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

export const loginColumns = `u.id, u.name, u.enabled, u.password_hash AS "passwordHash", u.default_project_id AS "defaultProjectId",
  d.id AS "domainId", d.name AS "domainName", d.enabled AS "domainEnabled"`

/** How a request names a user or a project: by id, or by name within a domain, which is named by id or name. */
export type UserReference = { id: string } | { name: string; domain: DomainReference }
export type ProjectReference = UserReference
export type DomainReference = { id: string } | { name: string }

/** A condition, and the values of its parameters. */
export interface Condition {
  sql: string
  values: readonly string[]
}

/** Which row of `table`, in its `domain`, is meant. Parameters are counted from `first`. */
export function isMeant(reference: UserReference, table: string, domain: string, first: number): Condition {
  if ('id' in reference) return { sql: `${table}.id = $${first}`, values: [reference.id] }
  const { sql, values } = isMeantDomain(reference.domain, domain, first + 1)
  return { sql: `${table}.name = $${first} AND ${sql}`, values: [reference.name, ...values] }
}

export function isMeantDomain(reference: DomainReference, domain: string, first: number): Condition {
  if ('id' in reference) return { sql: `${domain}.id = $${first}`, values: [reference.id] }
  return { sql: `${domain}.name = $${first}`, values: [reference.name] }
}

/** What a login begins with: the user that it names, if there is one, and whom its failure counts against. */
export interface Login {
  user: LoginUser | undefined
  /** One a user, however it is named; without a user it is `nobody`. */
  subject: string
  /** Failed logins of that subject in a row and of late. */
  failures: number
}

/** One statement, and the same one whether there is such a user or not. */
export async function findLogin(db: Queryable, reference: UserReference, nobody: string): Promise<Login> {
  const { sql, values } = isMeant(reference, 'u', 'd', 2)
  const [row] = await db.query<Omit<Login, 'user'> & { user: LoginUser | null }>(
    `SELECT to_json(named) AS user, s.subject, COALESCE(f.failures, 0) AS failures
     FROM (SELECT $1::text AS name) nobody
     LEFT JOIN (SELECT ${loginColumns} FROM users u JOIN domains d ON d.id = u.domain_id WHERE ${sql}) named ON true
     CROSS JOIN LATERAL (SELECT COALESCE('user:' || named.id, nobody.name) AS subject) s
     LEFT JOIN login_failures f ON f.subject = s.subject AND ${countsStill}`,
    [nobody, ...values],
  )
  return { ...row!, user: row!.user ?? undefined }
}
