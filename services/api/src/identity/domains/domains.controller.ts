import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common'
import { Once, type DomainRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { collectionView } from '../collection.view.js'
import {
  createDomainPolicy,
  deleteDomainPolicy,
  getDomainPolicy,
  listDomainsPolicy,
  updateDomainPolicy,
} from '../identity.policies.js'
import {
  createDomainBody,
  domainQuery,
  updateDomainBody,
  type CreateDomain,
  type DomainQuery,
  type UpdateDomain,
} from './domains.schemas.js'
import { DomainsService } from './domains.service.js'
import { domainView } from './domains.views.js'

/** https://docs.openstack.org/api-ref/identity/v3/#domains */
@Controller('v3/domains')
export class DomainsController {
  constructor(private readonly domains: DomainsService) {}

  @Get()
  @Guarded(listDomainsPolicy)
  async list(@Query({ schema: domainQuery }) query: DomainQuery, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await this.domains.list(query)
    return collectionView(
      'domains',
      rows.map((row) => domainView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Post()
  @Guarded(createDomainPolicy)
  @Idempotent()
  async create(
    @Body({ schema: createDomainBody }) body: { domain: CreateDomain },
    @CurrentRequestKey() key: RequestKey | undefined,
    @BaseUrl() baseUrl: string,
  ) {
    const answer = (row: DomainRow) => ({ domain: domainView(row, baseUrl) })
    return answer(await this.domains.create(body.domain, new Once(key, answer)))
  }

  @Get(':domain_id')
  @Guarded(getDomainPolicy)
  async show(@Param('domain_id') id: string, @BaseUrl() baseUrl: string) {
    return { domain: domainView(await this.domains.find(id), baseUrl) }
  }

  @Patch(':domain_id')
  @Guarded(updateDomainPolicy)
  async update(
    @Param('domain_id') id: string,
    @Body({ schema: updateDomainBody }) body: { domain: UpdateDomain },
    @BaseUrl() baseUrl: string,
  ) {
    return { domain: domainView(await this.domains.update(id, body.domain), baseUrl) }
  }

  @Delete(':domain_id')
  @Guarded(deleteDomainPolicy)
  @HttpCode(204)
  async delete(@Param('domain_id') id: string) {
    await this.domains.delete(id)
  }
}
