import { Controller, Get, Inject, Req } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { hasSystemRole, listDomainsOfUser, listProjectsOfUser, type Database } from '@nubo/database'
import { BaseUrl, CurrentCaller, Guarded } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { Catalog, catalogView } from '../catalog/catalog.js'
import { collectionView } from '../collection.view.js'
import { domainView } from '../domains/domains.views.js'
import { forbidden } from '../identity-errors.js'
import { authCatalogPolicy, authDomainsPolicy, authProjectsPolicy, authSystemPolicy } from '../identity.policies.js'
import { projectView } from '../projects/projects.views.js'

/** What the bearer of a token could ask a token for. */
@Controller('v3/auth')
export class AuthScopesController {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly catalog: Catalog,
  ) {}

  @Get('catalog')
  @Guarded(authCatalogPolicy)
  showCatalog(@CurrentCaller() caller: Caller, @BaseUrl() baseUrl: string) {
    if (caller.scope.kind === 'unscoped') throw forbidden('A scoped token is required to produce a service catalog.')
    return { catalog: catalogView(this.catalog), links: { self: `${baseUrl}/v3/auth/catalog` } }
  }

  @Get('projects')
  @Guarded(authProjectsPolicy)
  async projects(@CurrentCaller() caller: Caller, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await listProjectsOfUser(this.database, caller.userId, { usable: true })
    return collectionView(
      'projects',
      rows.map((row) => projectView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Get('domains')
  @Guarded(authDomainsPolicy)
  async domains(@CurrentCaller() caller: Caller, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await listDomainsOfUser(this.database, caller.userId)
    return collectionView(
      'domains',
      rows.map((row) => domainView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Get('system')
  @Guarded(authSystemPolicy)
  async system(@CurrentCaller() caller: Caller, @BaseUrl() baseUrl: string) {
    const mayEnter = await hasSystemRole(this.database, caller.userId)
    return { system: mayEnter ? [{ all: true }] : [], links: { self: `${baseUrl}/v3/auth/system` } }
  }
}
