import { Inject, Injectable } from '@nestjs/common'
import { TokenSigner, withImpliedRoles, type Caller, type Scope } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  findLoginDomain,
  findLoginProject,
  findLoginUser,
  listAssignedRoles,
  lockForIssue,
  readRolesNow,
  systemTargetId,
  type AssignmentTarget,
  type Database,
  type LoginProject,
  type LoginUser,
  type RoleRow,
  type Transaction,
} from '@nubo/database'
import type { DomainId, ProjectId, Random, UserId } from '@nubo/kernel'
import { CONFIGURATION, RANDOM } from '@nubo/service-kit'
import type { ApiConfiguration } from '../../configuration.js'
import { loginRefused } from '../identity-errors.js'
import { builtInRoles } from '../roles/built-in-roles.js'
import type { ScopeRequest } from './auth-request.js'

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

interface Target {
  scope: Scope
  target?: AssignmentTarget
  project?: LoginProject
  domain?: Named
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
  async issue(proof: Proof, wanted: ScopeRequest): Promise<{ token: string; details: TokenDetails }> {
    const { details, caller } = await this.database.transaction(async (tx) => {
      await lockForIssue(tx)
      const user = await this.readUser(tx, proof)
      return this.describe(tx, user, await this.readTarget(tx, user, wanted), proof)
    })
    return { token: await this.signer.sign(caller), details }
  }

  private async readUser(tx: Transaction, { userId, passwordHash }: Proof): Promise<LoginUser> {
    const user = await findLoginUser(tx, { id: userId })
    if (!user?.enabled || !user.domainEnabled) throw loginRefused()
    if (passwordHash !== undefined && passwordHash !== user.passwordHash) throw loginRefused()
    return user
  }

  private async readTarget(tx: Transaction, user: LoginUser, wanted: ScopeRequest): Promise<Target> {
    switch (wanted.kind) {
      case 'unscoped':
        return { scope: { kind: 'unscoped' } }
      case 'system':
        return { scope: { kind: 'system' }, target: { kind: 'system', id: systemTargetId } }
      case 'project': {
        const project = await findLoginProject(tx, wanted.project)
        if (!project?.enabled || !project.domainEnabled) throw loginRefused()
        return projectTarget(project)
      }
      case 'domain': {
        const domain = await findLoginDomain(tx, wanted.domain)
        if (!domain?.enabled) throw loginRefused()
        return { scope: { kind: 'domain', domainId: domain.id as DomainId }, target: { kind: 'domain', id: domain.id }, domain }
      }
      case 'default':
        return this.defaultTarget(tx, user)
    }
  }

  /** The user's default project, where it can be used; else no scope at all, as in Keystone. */
  private async defaultTarget(tx: Transaction, user: LoginUser): Promise<Target> {
    const project = user.defaultProjectId === null ? undefined : await findLoginProject(tx, { id: user.defaultProjectId })
    if (project?.enabled && project.domainEnabled) {
      const roles = await listAssignedRoles(tx, user.id, { kind: 'project', id: project.id })
      if (roles.length > 0) return projectTarget(project)
    }
    return { scope: { kind: 'unscoped' } }
  }

  private async describe(tx: Transaction, user: LoginUser, { scope, target, project, domain }: Target, proof: Proof) {
    const { nowMs, roles: given, impliable } = await readRolesNow(tx, user.id, target, builtInRoles)
    if (target && given.length === 0) throw loginRefused()
    const roles = withImplied(given, impliable)
    const caller: Caller = {
      userId: user.id as UserId,
      userName: user.name,
      userDomainId: user.domainId as DomainId,
      scope,
      roles: roles.map((role) => role.name),
      methods: [...new Set([...proof.methods, ...(proof.parent?.methods ?? [])])],
      auditId: this.random.bytes(auditIdBytes).toString('base64url'),
      parentAuditId: proof.parent && (proof.parent.parentAuditId ?? proof.parent.auditId),
      issuedAtMs: nowMs,
      // A token that is made from another lives no longer than it.
      expiresAtMs: proof.parent?.expiresAtMs ?? nowMs + this.configuration.tokens.lifetimeSeconds * 1000,
    }
    return { caller, details: detailsOf(caller, user, roles, project, domain) }
  }
}

function projectTarget(project: LoginProject): Target {
  const { id, name, domainId } = project
  const scope: Scope = {
    kind: 'project',
    projectId: id as ProjectId,
    projectName: name,
    projectDomainId: domainId as DomainId,
  }
  return { scope, target: { kind: 'project', id }, project }
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
