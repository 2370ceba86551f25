import { Inject, Injectable } from '@nestjs/common'
import { PasswordHasher, RevocationList, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteUser,
  findDomain,
  findProject,
  findUser,
  forgetLoginFailures,
  insertUser,
  isUniqueViolation,
  listUsers,
  lockForRevocation,
  markRevoked,
  updateUser,
  type Database,
  type Once,
  type UserChange,
  type UserRow,
} from '@nubo/database'
import { CloudError, type Random, type UserId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { newIdentityId } from '../identifiers.js'
import { duplicateName, loginRefused, notFound } from '../identity-errors.js'
import { domainOf } from '../projects/projects.service.js'
import { PasswordLogin } from '../tokens/password-login.js'
import type { ChangePassword, CreateUser, UpdateUser, UserQuery } from './users.schemas.js'

@Injectable()
export class UsersService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
    private readonly hasher: PasswordHasher,
    private readonly login: PasswordLogin,
    private readonly revocations: RevocationList,
  ) {}

  list({ name, domain_id: domainId, enabled }: UserQuery): Promise<UserRow[]> {
    return listUsers(this.database, { name, domainId, enabled })
  }

  async find(id: string): Promise<UserRow> {
    const user = await findUser(this.database, id)
    if (!user) throw notFound('user', id)
    return user
  }

  async create(caller: Caller, wanted: CreateUser, once: Once<UserRow>): Promise<UserRow> {
    const domainId = wanted.domain_id ?? domainOf(caller)
    if (!(await findDomain(this.database, domainId))) throw notFound('domain', domainId)
    await this.checkDefaultProject(wanted.default_project_id)
    const row = {
      id: newIdentityId<UserId>(this.random),
      domainId,
      name: wanted.name,
      description: wanted.description ?? '',
      email: wanted.email ?? null,
      enabled: wanted.enabled ?? true,
      defaultProjectId: wanted.default_project_id ?? null,
      passwordHash: typeof wanted.password === 'string' ? await this.hasher.hash(wanted.password) : null,
      extra: wanted.extra,
    }
    const made = once.run(this.database, (db) => insertUser(db, row))
    return orDuplicate(made, row.name, domainId)
  }

  async update(id: string, wanted: UpdateUser): Promise<UserRow> {
    const current = await this.find(id)
    if (wanted.domain_id !== undefined && wanted.domain_id !== current.domainId)
      throw new CloudError('Invalid', 'Change of domain_id is not allowed.')
    await this.checkDefaultProject(wanted.default_project_id)
    const change: UserChange = {
      name: wanted.name,
      description: wanted.description === undefined ? undefined : (wanted.description ?? ''),
      email: wanted.email,
      enabled: wanted.enabled,
      defaultProjectId: wanted.default_project_id,
      passwordHash: typeof wanted.password === 'string' ? await this.hasher.hash(wanted.password) : wanted.password,
      extra: wanted.extra,
    }
    return this.write(current, change)
  }

  /** The user's own wish, which the old password proves; no token is needed. */
  async changePassword(id: string, { password, original_password: original }: ChangePassword): Promise<void> {
    const { passwordHash: proven } = await this.login.check({ id }, original)
    const current = await this.find(id)
    await this.write(current, { passwordHash: await this.hasher.hash(password) }, proven)
  }

  async delete(id: string): Promise<void> {
    // Before the lock that every login takes: who names nobody holds up nobody.
    await this.find(id)
    await this.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      if (!(await deleteUser(tx, id))) throw notFound('user', id)
      await markRevoked(tx, 'user', id)
    })
    this.revocations.forget()
  }

  /** Whatever made a login possible and no longer does ends the tokens that came of it. */
  private async write(current: UserRow, change: UserChange, proven?: string | null): Promise<UserRow> {
    const { id } = current
    const ends = change.passwordHash !== undefined || change.enabled === false
    const updated = await orDuplicate(
      this.database.transaction(async (tx) => {
        if (ends) await lockForRevocation(tx)
        if (proven !== undefined) {
          const rows = await tx.query('SELECT 1 FROM users WHERE id = $1 AND password_hash = $2', [id, proven])
          if (rows.length === 0) throw loginRefused()
        }
        const user = await updateUser(tx, id, change)
        if (user && ends) await markRevoked(tx, 'user', id)
        if (user && change.passwordHash) await forgetLoginFailures(tx, `user:${id}`)
        return user
      }),
      change.name ?? current.name,
      current.domainId,
    )
    if (!updated) throw notFound('user', id)
    if (ends) this.revocations.forget()
    return updated
  }

  private async checkDefaultProject(id: string | null | undefined): Promise<void> {
    if (typeof id === 'string' && !(await findProject(this.database, id))) throw notFound('project', id)
  }
}

async function orDuplicate<T>(work: Promise<T>, name: string, domainId: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'users_domain_id_name_key')) throw duplicateName('user', name, domainId)
    throw error
  }
}
