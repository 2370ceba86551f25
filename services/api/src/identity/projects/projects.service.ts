import { Inject, Injectable } from '@nestjs/common'
import { RevocationList, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  countServersOfProject,
  deleteProject,
  findDomain,
  findProject,
  findUser,
  insertProject,
  isUniqueViolation,
  listProjects,
  listProjectsOfUser,
  lockForRevocation,
  markRevoked,
  updateProject,
  type Database,
  type Once,
  type ProjectRow,
} from '@nubo/database'
import { CloudError, type ProjectId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { newIdentityId } from '../identifiers.js'
import { duplicateName, forbidden, notFound } from '../identity-errors.js'
import type { CreateProject, ProjectQuery, UpdateProject } from './projects.schemas.js'

@Injectable()
export class ProjectsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
    private readonly revocations: RevocationList,
  ) {}

  async list({
    name,
    domain_id: domainId,
    parent_id: parentId,
    enabled,
    is_domain: isDomain,
  }: ProjectQuery): Promise<ProjectRow[]> {
    // Domains are not projects here; and a project's parent is its domain.
    if (isDomain || (parentId !== undefined && domainId !== undefined && parentId !== domainId)) return []
    return listProjects(this.database, { name, domainId: domainId ?? parentId, enabled })
  }

  async ofUser(userId: string): Promise<ProjectRow[]> {
    if (!(await findUser(this.database, userId))) throw notFound('user', userId)
    return listProjectsOfUser(this.database, userId, { usable: false })
  }

  async find(id: string): Promise<ProjectRow> {
    const project = await findProject(this.database, id)
    if (!project) throw notFound('project', id)
    return project
  }

  /** In the domain that is named, or else in that of the caller. */
  async create(caller: Caller, wanted: CreateProject, once: Once<ProjectRow>): Promise<ProjectRow> {
    const domainId = wanted.domain_id ?? wanted.parent_id ?? domainOf(caller)
    if (wanted.parent_id && wanted.parent_id !== domainId)
      throw new CloudError('Invalid', 'Projects have no hierarchy: parent_id can only be the id of their domain.')
    if (!(await findDomain(this.database, domainId))) throw notFound('domain', domainId)
    const id = newIdentityId<ProjectId>(this.random)
    const row = {
      id,
      domainId,
      name: wanted.name,
      description: wanted.description ?? '',
      enabled: wanted.enabled ?? true,
      extra: wanted.extra,
    }
    const made = once.run(this.database, (db) => insertProject(db, row))
    return orDuplicate(made, row.name, domainId)
  }

  async update(id: string, wanted: UpdateProject): Promise<ProjectRow> {
    const { name, enabled, extra } = wanted
    const current = await this.find(id)
    if (wanted.domain_id !== undefined && wanted.domain_id !== current.domainId)
      throw new CloudError('Invalid', 'Change of domain_id is not allowed.')
    if (wanted.is_domain) throw new CloudError('Invalid', 'Update of `is_domain` is not allowed.')
    if (wanted.parent_id !== undefined && wanted.parent_id !== current.domainId)
      throw forbidden('Update of `parent_id` is not allowed.')
    const description = wanted.description === undefined ? undefined : (wanted.description ?? '')
    const updated = await orDuplicate(
      this.database.transaction(async (tx) => {
        if (enabled === false) await lockForRevocation(tx)
        const project = await updateProject(tx, id, { name, description, enabled, extra })
        if (project && enabled === false) await markRevoked(tx, 'project', id)
        return project
      }),
      name ?? current.name,
      current.domainId,
    )
    if (!updated) throw notFound('project', id)
    this.revocations.forget()
    return updated
  }

  /**
   * Keystone deletes a project whatever is left in it, and its servers then belong to nobody. Here a project with servers
   * stays, with 409: whoever removes a tenant is told what is still running.
   */
  async delete(id: string): Promise<void> {
    await this.find(id)
    await this.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      const servers = await countServersOfProject(tx, id)
      if (servers > 0)
        throw new CloudError(
          'Conflict',
          `Project ${id} still has ${servers} ${servers === 1 ? 'server' : 'servers'}. Delete ${servers === 1 ? 'it' : 'them'} first.`,
        )
      if (!(await deleteProject(tx, id))) throw notFound('project', id)
      await markRevoked(tx, 'project', id)
    })
    this.revocations.forget()
  }
}

/** The domain that a caller acts in. */
export function domainOf({ scope, userDomainId }: Caller): string {
  if (scope.kind === 'project') return scope.projectDomainId
  return scope.kind === 'domain' ? scope.domainId : userDomainId
}

async function orDuplicate<T>(work: Promise<T>, name: string, domainId: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'projects_domain_id_name_key')) throw duplicateName('project', name, domainId)
    throw error
  }
}
