import { Inject, Injectable } from '@nestjs/common'
import { RevocationList } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  assignRole,
  findDomain,
  findProject,
  findRole,
  findUser,
  listAssignedRoles,
  lockForRevocation,
  markAssignmentRevoked,
  unassignRole,
  type AssignmentTarget,
  type Database,
  type RoleRow,
} from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { notFound } from '../identity-errors.js'

/** A role of a user on a target, as a path names it. */
export interface Grant {
  target: AssignmentTarget
  userId: string
  roleId: string
}

/** Gives roles and takes them away. */
@Injectable()
export class GrantsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly revocations: RevocationList,
  ) {}

  async list(target: AssignmentTarget, userId: string): Promise<RoleRow[]> {
    await this.checkNamed(target, userId)
    return listAssignedRoles(this.database, userId, target)
  }

  /** Errors: 404 where the role is not given, or anything that is named is not there. */
  async check(grant: Grant): Promise<void> {
    await this.checkNamed(grant.target, grant.userId, grant.roleId)
    const roles = await listAssignedRoles(this.database, grant.userId, grant.target)
    if (!roles.some((role) => role.id === grant.roleId)) throw notAssigned(grant)
  }

  /** A new role counts from the next token on; those that are out keep what they say. */
  async give(grant: Grant): Promise<void> {
    await this.checkNamed(grant.target, grant.userId, grant.roleId)
    await assignRole(this.database, grant.userId, grant.roleId, grant.target)
  }

  async take(grant: Grant): Promise<void> {
    const { target, userId, roleId } = grant
    await this.checkNamed(target, userId, roleId)
    await this.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      if (!(await unassignRole(tx, userId, roleId, target))) throw notAssigned(grant)
      await markAssignmentRevoked(tx, userId, target.kind, target.id)
    })
    this.revocations.forget()
  }

  private async checkNamed({ kind, id }: AssignmentTarget, userId: string, roleId?: string): Promise<void> {
    if (roleId !== undefined && !(await findRole(this.database, roleId))) throw notFound('role', roleId)
    if (!(await findUser(this.database, userId))) throw notFound('user', userId)
    if (kind === 'project' && !(await findProject(this.database, id))) throw notFound('project', id)
    if (kind === 'domain' && !(await findDomain(this.database, id))) throw notFound('domain', id)
  }
}

const notAssigned = ({ target, userId, roleId }: Grant) =>
  new CloudError(
    'NotFound',
    `Could not find role assignment with role: ${roleId}, user or group: ${userId}, project, domain, or system: ${target.kind === 'system' ? 'system' : target.id}.`,
  )
