import { Inject, Injectable } from '@nestjs/common'
import { RevocationList } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteRole,
  findRole,
  insertRole,
  isUniqueViolation,
  listAssignments,
  listRoles,
  lockForRevocation,
  markAssignmentRevoked,
  updateRole,
  type Database,
  type Once,
  type RoleRow,
} from '@nubo/database'
import type { Random, RoleId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { newIdentityId } from '../identifiers.js'
import { duplicateName, forbidden, notFound } from '../identity-errors.js'
import { isBuiltIn } from './built-in-roles.js'
import type { CreateRole, RoleQuery, UpdateRole } from './roles.schemas.js'

@Injectable()
export class RolesService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
    private readonly revocations: RevocationList,
  ) {}

  /** There are no roles of a domain. */
  async list({ name, domain_id: domainId }: RoleQuery): Promise<RoleRow[]> {
    return domainId === undefined ? listRoles(this.database, { name }) : []
  }

  async find(id: string): Promise<RoleRow> {
    const role = await findRole(this.database, id)
    if (!role) throw notFound('role', id)
    return role
  }

  create({ name, description }: CreateRole, once: Once<RoleRow>): Promise<RoleRow> {
    const row = { id: newIdentityId<RoleId>(this.random), name, description: description ?? '' }
    return orDuplicate(
      once.run(this.database, (db) => insertRole(db, row)),
      name,
    )
  }

  async update(id: string, { name, description }: UpdateRole): Promise<RoleRow> {
    const role = await this.find(id)
    if (isBuiltIn(role.name))
      throw forbidden(`Unable to update immutable role resource: \`${id}. Policies ask for it by its name.`)
    const change = { name, description: description === undefined ? undefined : (description ?? '') }
    const updated = await orDuplicate(updateRole(this.database, id, change), name ?? role.name)
    if (!updated) throw notFound('role', id)
    return updated
  }

  async delete(id: string): Promise<void> {
    const role = await this.find(id)
    if (isBuiltIn(role.name))
      throw forbidden(`Unable to delete immutable role resource: \`${id}. Policies ask for it by its name.`)
    await this.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      const assignments = await listAssignments(tx, { roleId: id })
      if (!(await deleteRole(tx, id))) throw notFound('role', id)
      for (const { userId, targetKind, targetId } of assignments) await markAssignmentRevoked(tx, userId, targetKind, targetId)
    })
    this.revocations.forget()
  }
}

async function orDuplicate<T>(work: Promise<T>, name: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'roles_name_key')) throw duplicateName('role', name)
    throw error
  }
}
