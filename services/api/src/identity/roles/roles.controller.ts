import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common'
import { Once, type RoleRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { collectionView } from '../collection.view.js'
import { createRolePolicy, deleteRolePolicy, getRolePolicy, listRolesPolicy, updateRolePolicy } from '../identity.policies.js'
import { createRoleBody, roleQuery, updateRoleBody, type CreateRole, type RoleQuery, type UpdateRole } from './roles.schemas.js'
import { RolesService } from './roles.service.js'
import { roleView } from './roles.views.js'

/** https://docs.openstack.org/api-ref/identity/v3/#roles */
@Controller('v3/roles')
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @Get()
  @Guarded(listRolesPolicy)
  async list(@Query({ schema: roleQuery }) query: RoleQuery, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await this.roles.list(query)
    return collectionView(
      'roles',
      rows.map((row) => roleView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Post()
  @Guarded(createRolePolicy)
  @Idempotent()
  async create(
    @Body({ schema: createRoleBody }) body: { role: CreateRole },
    @CurrentRequestKey() key: RequestKey | undefined,
    @BaseUrl() baseUrl: string,
  ) {
    const answer = (row: RoleRow) => ({ role: roleView(row, baseUrl) })
    return answer(await this.roles.create(body.role, new Once(key, answer)))
  }

  @Get(':role_id')
  @Guarded(getRolePolicy)
  async show(@Param('role_id') id: string, @BaseUrl() baseUrl: string) {
    return { role: roleView(await this.roles.find(id), baseUrl) }
  }

  @Patch(':role_id')
  @Guarded(updateRolePolicy)
  async update(
    @Param('role_id') id: string,
    @Body({ schema: updateRoleBody }) body: { role: UpdateRole },
    @BaseUrl() baseUrl: string,
  ) {
    return { role: roleView(await this.roles.update(id, body.role), baseUrl) }
  }

  @Delete(':role_id')
  @Guarded(deleteRolePolicy)
  @HttpCode(204)
  async delete(@Param('role_id') id: string) {
    await this.roles.delete(id)
  }
}
