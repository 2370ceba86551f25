import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Put, Query, type Type } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type RowOf } from '@nubo/database'
import { badRequest } from '@nubo/domain'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentCaller, CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import { ChangesHosts } from '../hints/changes-hosts.js'
import type { Changes } from './attribute.js'
import type { CreateBody } from './bodies.js'
import { anyQuery, fieldsOf, type AnyQuery } from './listing-query.js'
import { pageLinks } from './page-links.js'
import type { Resource, ResourceColumns } from './resource.js'
import type { Expected, ResourceService } from './resource.service.js'

/** The routes of a resource: list, create, show, update, delete. */
export function resourceController<C extends ResourceColumns, A>(
  resource: Resource<C, A>,
  service: Type<ResourceService<C, A>>,
): Type {
  const { path, singular, plural, policies } = resource

  @Controller(`v2.0/${path}`)
  class ResourceController {
    constructor(@Inject(service) private readonly resources: ResourceService<C, A>) {}

    @Get()
    @Guarded(policies.get)
    async list(@CurrentCaller() caller: Caller, @Query({ schema: anyQuery }) query: AnyQuery, @BaseUrl() baseUrl: string) {
      const rows = await this.resources.list(caller, query)
      const fields = fieldsOf(query)
      const links = pageLinks(query, rows as unknown as { id: string }[], `${baseUrl}/v2.0/${path}`)
      const shown = rows.map((row) => resource.view(row, caller, fields))
      return { [plural]: shown, ...(links.length > 0 && { [`${plural}_links`]: links }) }
    }

    @Post()
    @HttpCode(201)
    @Guarded(policies.create)
    @ChangesHosts()
    @Idempotent()
    async create(
      @CurrentCaller() caller: Caller,
      @Body({ schema: resource.createBody }) { items, isBulk }: CreateBody<Changes<A>>,
      @CurrentRequestKey() key: RequestKey | undefined,
    ) {
      const answer = (rows: RowOf<C>[]) => {
        const shown = rows.map((row) => resource.view(row, caller))
        return isBulk ? { [plural]: shown } : { [singular]: shown[0] }
      }
      return answer(await this.resources.create(caller, items, new Once(key, answer)))
    }

    @Get(':id')
    @Guarded(policies.get)
    async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query({ schema: anyQuery }) query: AnyQuery) {
      return { [singular]: resource.view(await this.resources.find(caller, id), caller, fieldsOf(query)) }
    }

    @Put(':id')
    @Guarded(policies.update)
    @ChangesHosts()
    async update(
      @CurrentCaller() caller: Caller,
      @Param('id') id: string,
      @Body({ schema: resource.updateBody }) changes: Changes<A>,
      @Headers('if-match') match: string | undefined,
    ) {
      return { [singular]: resource.view(await this.resources.update(caller, id, changes, expectedIn(match)), caller) }
    }

    @Delete(':id')
    @HttpCode(204)
    @Guarded(policies.delete)
    @ChangesHosts()
    async delete(@CurrentCaller() caller: Caller, @Param('id') id: string, @Headers('if-match') match: string | undefined) {
      await this.resources.delete(caller, id, expectedIn(match))
    }
  }
  return ResourceController
}

/** `If-Match: revision_number=5`, in quotes or without (the extension revision-if-match); other conditions are none of ours. */
function expectedIn(match: string | undefined): Expected {
  const [first, more] = match?.match(/\brevision_number=[^",\s]*/g) ?? []
  if (first === undefined) return {}
  if (more !== undefined) throw badRequest('if-match', 'Multiple revision_number etags are not supported')
  const [, revision] = /=(\d{1,9})$/.exec(first) ?? []
  if (revision === undefined) throw badRequest('if-match', 'Revision number etag must be in the format of revision_number=<int>')
  return { revisionNumber: Number(revision) }
}
