import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type FlavorRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { nextLink } from '../pages.js'
import {
  createFlavorPolicy,
  deleteFlavorPolicy,
  detailFlavorsPolicy,
  listExtraSpecsPolicy,
  listFlavorsPolicy,
  showFlavorPolicy,
  updateFlavorPolicy,
} from './flavors.policies.js'
import {
  createFlavorBody,
  listFlavorsQuery,
  updateFlavorBody,
  type CreateFlavorBody,
  type ListFlavorsQuery,
  type UpdateFlavorBody,
} from './flavors.schemas.js'
import { FlavorsService } from './flavors.service.js'
import { flavorBriefView, flavorView } from './flavors.views.js'

/** https://docs.openstack.org/api-ref/compute/#flavors */
@Controller('v2.1/flavors')
export class FlavorsController {
  constructor(private readonly flavors: FlavorsService) {}

  @Get()
  @Guarded(listFlavorsPolicy)
  @Operation('flavor.list', { flavors: ['flavor-brief'] })
  async list(
    @CurrentCaller() caller: Caller,
    @Query({ schema: listFlavorsQuery }) query: ListFlavorsQuery,
    @BaseUrl() baseUrl: string,
  ) {
    const found = await this.flavors.list(caller, query)
    const flavors = found.map((flavor) => flavorBriefView(flavor, baseUrl))
    return { flavors, ...nextPage(found, 'flavors', query, baseUrl) }
  }

  @Get('detail')
  @Guarded(detailFlavorsPolicy)
  @Operation('flavor.detail', { flavors: ['flavor'] })
  async detail(
    @CurrentCaller() caller: Caller,
    @Query({ schema: listFlavorsQuery }) query: ListFlavorsQuery,
    @BaseUrl() baseUrl: string,
  ) {
    const found = await this.flavors.list(caller, query)
    const options = { baseUrl, extraSpecs: seesExtraSpecs(caller) }
    const flavors = found.map((flavor) => flavorView(flavor, options))
    return { flavors, ...nextPage(found, 'flavors/detail', query, baseUrl) }
  }

  @Post()
  @HttpCode(200)
  @Guarded(createFlavorPolicy)
  @Operation('flavor.create', { flavor: 'flavor' })
  @Idempotent()
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: createFlavorBody }) body: CreateFlavorBody,
    @CurrentRequestKey() key: RequestKey | undefined,
    @BaseUrl() baseUrl: string,
  ) {
    const answer = (flavor: FlavorRow) => ({ flavor: flavorView(flavor, { baseUrl, extraSpecs: seesExtraSpecs(caller) }) })
    return answer(await this.flavors.create(body, new Once(key, answer)))
  }

  @Get(':id')
  @Guarded(showFlavorPolicy)
  @Operation('flavor.show', { flavor: 'flavor' })
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @BaseUrl() baseUrl: string) {
    const flavor = await this.flavors.find(caller, id)
    return { flavor: flavorView(flavor, { baseUrl, extraSpecs: seesExtraSpecs(caller) }) }
  }

  @Put(':id')
  @Guarded(updateFlavorPolicy)
  @Operation('flavor.update', { flavor: 'flavor' })
  async update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: updateFlavorBody }) body: UpdateFlavorBody,
    @BaseUrl() baseUrl: string,
  ) {
    const flavor = await this.flavors.describe(id, body.flavor.description)
    return { flavor: flavorView(flavor, { baseUrl, extraSpecs: seesExtraSpecs(caller) }) }
  }

  @Delete(':id')
  @HttpCode(202)
  @Guarded(deleteFlavorPolicy)
  @Operation('flavor.delete')
  async delete(@Param('id') id: string) {
    await this.flavors.delete(id)
  }
}

/** Whoever may not list extra specs is shown flavors without them. */
const seesExtraSpecs = (caller: Caller) => listExtraSpecsPolicy.rule(caller, {})

function nextPage(found: readonly FlavorRow[], path: string, query: ListFlavorsQuery, baseUrl: string) {
  const asked = { ...query, limit: query.limit?.toString() }
  return nextLink(found, ({ id }) => id, { name: 'flavors_links', path, query: asked, limit: query.limit, baseUrl })
}
