import { CloudError, type DomainId, type ProjectId, type UserId } from '@nubo/kernel'

/** What a token speaks for. */
export type Scope =
  | { kind: 'project'; projectId: ProjectId; projectName: string; projectDomainId: DomainId }
  | { kind: 'domain'; domainId: DomainId }
  | { kind: 'system' }
  | { kind: 'unscoped' }

/** Who asks: what a checked token says of its bearer. */
export interface Caller {
  userId: UserId
  userName: string
  userDomainId: DomainId
  scope: Scope
  /** Names of the roles on the scope, the implied ones among them. */
  roles: readonly string[]
  methods: readonly string[]
  /** Names the token, to revoke it alone. */
  auditId: string
  /** The first token of a chain that was made from one another; undefined for the first itself. */
  parentAuditId: string | undefined
  issuedAtMs: number
  expiresAtMs: number
}

/** A role and every role that it carries with it: admin > manager > member > reader. Other roles stand alone. */
const implications: Readonly<Record<string, readonly string[]>> = {
  admin: ['manager', 'member', 'reader'],
  manager: ['member', 'reader'],
  member: ['reader'],
}

/** `names` with the roles that they imply, each once. */
export function withImpliedRoles(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => [name, ...(implications[name] ?? [])]))]
}

/** Roles that `name` carries with it. */
export const impliedBy = (name: string): readonly string[] => implications[name] ?? []

export const hasRole = (caller: Caller, role: string): boolean => caller.roles.includes(role)

/**
 * The role admin on a project or on the system is admin of the whole cloud, as in Nova and Keystone. On a domain it is not:
 * that would hand the cloud to whoever administers one tenant.
 */
export const isCloudAdmin = (caller: Caller): boolean =>
  hasRole(caller, 'admin') && (caller.scope.kind === 'project' || caller.scope.kind === 'system')

/** The project that a token is scoped to; 403 for any other scope. */
export function projectOf(caller: Caller): ProjectId {
  if (caller.scope.kind !== 'project') throw new CloudError('Forbidden', 'This needs a token that is scoped to a project.')
  return caller.scope.projectId
}
