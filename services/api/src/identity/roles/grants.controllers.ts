import { Controller, Delete, Get, HttpCode, Param, Put, Req, type Type } from '@nestjs/common'
import { systemTargetId, type AssignmentTarget } from '@nubo/database'
import { BaseUrl, Guarded } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { collectionView } from '../collection.view.js'
import { checkGrantPolicy, createGrantPolicy, listGrantsPolicy, revokeGrantPolicy } from '../identity.policies.js'
import { GrantsService, type Grant } from './grants.service.js'
import { roleView } from './roles.views.js'

type Parameters = Record<string, string>

/** The same routes for each kind of target: https://docs.openstack.org/api-ref/identity/v3/#roles */
function grantsController(path: string, targetOf: (parameters: Parameters) => AssignmentTarget): Type {
  const grantOf = (parameters: Parameters): Grant => ({
    target: targetOf(parameters),
    userId: parameters['user_id']!,
    roleId: parameters['role_id']!,
  })

  @Controller(`v3/${path}/users/:user_id/roles`)
  class GrantsController {
    constructor(private readonly grants: GrantsService) {}

    @Get()
    @Guarded(listGrantsPolicy)
    async list(@Param() parameters: Parameters, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
      const rows = await this.grants.list(targetOf(parameters), parameters['user_id']!)
      return collectionView(
        'roles',
        rows.map((row) => roleView(row, baseUrl)),
        baseUrl,
        request,
      )
    }

    /** HEAD goes the same way. */
    @Get(':role_id')
    @Guarded(checkGrantPolicy)
    @HttpCode(204)
    async check(@Param() parameters: Parameters) {
      await this.grants.check(grantOf(parameters))
    }

    @Put(':role_id')
    @Guarded(createGrantPolicy)
    @HttpCode(204)
    async give(@Param() parameters: Parameters) {
      await this.grants.give(grantOf(parameters))
    }

    @Delete(':role_id')
    @Guarded(revokeGrantPolicy)
    @HttpCode(204)
    async take(@Param() parameters: Parameters) {
      await this.grants.take(grantOf(parameters))
    }
  }
  return GrantsController
}

export const grantsControllers = [
  grantsController('projects/:project_id', (parameters) => ({ kind: 'project', id: parameters['project_id']! })),
  grantsController('domains/:domain_id', (parameters) => ({ kind: 'domain', id: parameters['domain_id']! })),
  grantsController('system', () => ({ kind: 'system', id: systemTargetId })),
]
