import { Controller, Get, Inject, Query, Req } from '@nestjs/common'
import { impliedBy } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { listAssignments, listRoles, type AssignmentFilter, type AssignmentRow, type Database } from '@nubo/database'
import { BaseUrl, Guarded } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { collectionView } from '../collection.view.js'
import { expected } from '../identity-errors.js'
import { listAssignmentsPolicy } from '../identity.policies.js'
import { query, queryFlag } from '../schemas.js'

const assignmentQuery = query({
  'user.id': z.string().optional(),
  'role.id': z.string().optional(),
  'group.id': z.string().optional(),
  'scope.project.id': z.string().optional(),
  'scope.domain.id': z.string().optional(),
  'scope.system': z.string().optional(),
  effective: queryFlag,
  include_names: queryFlag,
})
type AssignmentQuery = z.output<typeof assignmentQuery>

/** https://docs.openstack.org/api-ref/identity/v3/#list-role-assignments */
@Controller('v3/role_assignments')
export class RoleAssignmentsController {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Get()
  @Guarded(listAssignmentsPolicy)
  async list(
    @Query({ schema: assignmentQuery }) wanted: AssignmentQuery,
    @BaseUrl() baseUrl: string,
    @Req() request: FastifyRequest,
  ) {
    const views = (await this.find(wanted)).map((row) => assignmentView(row, wanted.include_names === true, baseUrl))
    return collectionView('role_assignments', views, baseUrl, request)
  }

  private async find(wanted: AssignmentQuery): Promise<AssignmentRow[]> {
    // There are no groups.
    if (wanted['group.id'] !== undefined) return []
    const filter: AssignmentFilter = { userId: wanted['user.id'], target: targetOf(wanted) }
    if (!wanted.effective) return listAssignments(this.database, { ...filter, roleId: wanted['role.id'] })
    const rows = await this.withImplied(await listAssignments(this.database, filter))
    return rows.filter((row) => (wanted['role.id'] ?? row.roleId) === row.roleId)
  }

  /** Each assignment with those that its role carries. */
  private async withImplied(rows: readonly AssignmentRow[]): Promise<AssignmentRow[]> {
    const roles = new Map((await listRoles(this.database, {})).map((role) => [role.name, role]))
    const effective = rows.flatMap((row) => [
      row,
      ...impliedBy(row.roleName)
        .map((name) => roles.get(name))
        .filter((role) => role !== undefined)
        .map((role) => ({ ...row, roleId: role.id, roleName: role.name })),
    ])
    const keyOf = (row: AssignmentRow) => [row.userId, row.targetKind, row.targetId, row.roleId].join(' ')
    return [...new Map(effective.toReversed().map((row) => [keyOf(row), row])).values()].toReversed()
  }
}

function targetOf(wanted: AssignmentQuery): AssignmentFilter['target'] {
  const project = wanted['scope.project.id']
  const domain = wanted['scope.domain.id']
  const named = [project, domain, wanted['scope.system']].filter((value) => value !== undefined)
  if (named.length > 1) throw expected('one of scope.project.id, scope.domain.id and scope.system', 'query')
  if (project !== undefined) return { kind: 'project', id: project }
  if (domain !== undefined) return { kind: 'domain', id: domain }
  return wanted['scope.system'] === undefined ? undefined : { kind: 'system' }
}

function assignmentView(row: AssignmentRow, withNames: boolean, baseUrl: string) {
  const target = row.targetKind === 'system' ? 'system' : `${row.targetKind}s/${row.targetId}`
  return {
    role: { id: row.roleId, ...(withNames && { name: row.roleName }) },
    user: {
      id: row.userId,
      ...(withNames && { name: row.userName, domain: { id: row.userDomainId, name: row.userDomainName } }),
    },
    scope: scopeView(row, withNames),
    links: { assignment: `${baseUrl}/v3/${target}/users/${row.userId}/roles/${row.roleId}` },
  }
}

function scopeView(row: AssignmentRow, withNames: boolean) {
  if (row.targetKind === 'system') return { system: { all: true } }
  const name = withNames && { name: row.targetName }
  if (row.targetKind === 'domain') return { domain: { id: row.targetId, ...name } }
  const domain = withNames && { domain: { id: row.targetDomainId, name: row.targetDomainName } }
  return { project: { id: row.targetId, ...name, ...domain } }
}
