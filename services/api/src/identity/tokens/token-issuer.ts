import { Inject, Injectable } from '@nestjs/common'
import { TokenSigner, withImpliedRoles, type Caller, type Scope } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  readForIssue,
  readTokenRecords,
  type Database,
  type LoginProject,
  type LoginUser,
  type RoleRow,
  type TokenRecords,
  type TokenTarget,
} from '@nubo/database'
import type { DomainId, ProjectId, Random, UserId } from '@nubo/kernel'
import { CONFIGURATION, RANDOM } from '@nubo/service-kit'
import type { ApiConfiguration } from '../../configuration.js'
import { loginRefused } from '../identity-errors.js'
import { builtInRoles } from '../roles/built-in-roles.js'

/** A token with the names that its ids stand for. */
export interface TokenDetails {
  caller: Caller
  user: { id: string; name: string; domain: Named }
  project?: { id: string; name: string; domain: Named }
  domain?: Named
  roles: readonly { id: string; name: string }[]
}

export interface Named {
  id: string
  name: string
}

/** Who asks for a token, and what proves it. */
export interface Proof {
  userId: string
  /** The hash that the password matched; a token is not made from a password that was changed meanwhile. */
  passwordHash?: string | null
  /** The token that this one is made from. */
  parent?: Caller
  methods: readonly string[]
}

/** What a token is for. */
interface Grant {
  scope: Scope
  project?: LoginProject | undefined
  domain?: Named | undefined
  /** Those that were given; what they imply comes with them. */
  roles: readonly RoleRow[]
}

const auditIdBytes = 16

/** Makes tokens from what the database says at one moment, so that no revocation is overtaken. */
@Injectable()
export class TokenIssuer {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(CONFIGURATION) private readonly configuration: ApiConfiguration,
    @Inject(RANDOM) private readonly random: Random,
    private readonly signer: TokenSigner,
  ) {}

  /** Errors: 401 where the user may no longer log in, the target is not there or disabled, or there is no role on it. */
  async issue(proof: Proof, target: TokenTarget): Promise<{ token: string; details: TokenDetails }> {
    const records = await readForIssue(this.database, (db) => readTokenRecords(db, proof.userId, target, builtInRoles))
    if (!records || !isStillProven(records.user, proof)) throw loginRefused()
    const details = this.describe(records, grantOf(records, target), proof)
    return { token: await this.signer.sign(details.caller), details }
  }

  private describe({ user, named, nowMs }: TokenRecords, { scope, project, domain, roles }: Grant, proof: Proof): TokenDetails {
    const held = withImplied(roles, named)
    const caller: Caller = {
      userId: user.id as UserId,
      userName: user.name,
      userDomainId: user.domainId as DomainId,
      scope,
      roles: held.map((role) => role.name),
      methods: [...new Set([...proof.methods, ...(proof.parent?.methods ?? [])])],
      auditId: this.random.bytes(auditIdBytes).toString('base64url'),
      parentAuditId: proof.parent && (proof.parent.parentAuditId ?? proof.parent.auditId),
      issuedAtMs: nowMs,
      // A token that is made from another lives no longer than it.
      expiresAtMs: proof.parent?.expiresAtMs ?? nowMs + this.configuration.tokens.lifetimeSeconds * 1000,
    }
    return detailsOf(caller, user, held, project, domain)
  }
}

/** Whether what was proven a moment ago lets this user in as it is now. */
function isStillProven(user: LoginUser, { passwordHash }: Proof): boolean {
  return user.enabled && user.domainEnabled && (passwordHash === undefined || passwordHash === user.passwordHash)
}

function grantOf(records: TokenRecords, { kind }: TokenTarget): Grant {
  const { project, domain, given: roles } = records
  const scope = scopeOn(records, kind)
  if (scope && roles.length > 0) return { scope, project, domain, roles }
  // Where the user's own project cannot be used there is no scope at all, as in Keystone.
  if (kind === 'default' || kind === 'unscoped') return { scope: { kind: 'unscoped' }, roles: [] }
  throw loginRefused()
}

/** The scope that the target makes, where it can be used. */
function scopeOn({ project, domain }: TokenRecords, kind: TokenTarget['kind']): Scope | undefined {
  if (kind === 'system') return { kind }
  if (domain?.enabled) return { kind: 'domain', domainId: domain.id as DomainId }
  if (!project?.enabled || !project.domainEnabled) return undefined
  const { id, name, domainId } = project
  return { kind: 'project', projectId: id as ProjectId, projectName: name, projectDomainId: domainId as DomainId }
}

/** `given` with those of `impliable` that they imply, by name. */
function withImplied(given: readonly RoleRow[], impliable: readonly RoleRow[]): RoleRow[] {
  const wanted = new Set(withImpliedRoles(given.map((role) => role.name)))
  const all = new Map([...given, ...impliable].filter((role) => wanted.has(role.name)).map((role) => [role.name, role]))
  return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export function detailsOf(
  caller: Caller,
  user: LoginUser,
  roles: readonly RoleRow[],
  project: LoginProject | undefined,
  domain: Named | undefined,
): TokenDetails {
  return {
    caller,
    user: { id: user.id, name: user.name, domain: { id: user.domainId, name: user.domainName } },
    ...(project && {
      project: { id: project.id, name: project.name, domain: { id: project.domainId, name: project.domainName } },
    }),
    ...(domain && { domain: { id: domain.id, name: domain.name } }),
    roles: roles.map(({ id, name }) => ({ id, name })),
  }
}
