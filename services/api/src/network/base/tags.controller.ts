import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, type Type } from '@nestjs/common'
import { policy, projectMemberOrAdmin, projectReaderOrAdmin, type Caller } from '@nubo/auth'
import { networkError } from '@nubo/domain'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { z } from 'zod'
import { parse } from '../../compute/parameter-types.js'
import { listOf, someText } from './attribute-types.js'
import type { Resource, ResourceColumns } from './resource.js'
import type { ResourceService } from './resource.service.js'

const maxTagCharacters = 255
const tag = someText(maxTagCharacters)
const tagsBody = z.object({ tags: listOf(tag) }, { error: 'Invalid tags body' })
type TagsBody = z.output<typeof tagsBody>

/** The routes of a resource's tags (https://docs.openstack.org/api-ref/network/v2/#standard-attributes-tag-extension). */
export function tagsController<C extends ResourceColumns, A>(
  resource: Resource<C, A>,
  service: Type<ResourceService<C, A>>,
): Type {
  const { path, plural } = resource
  const policies = {
    get: policy(`get_${plural}_tags`, `List and show tags of ${plural}.`, projectReaderOrAdmin),
    update: policy(`update_${plural}_tags`, `Set tags of ${plural}.`, projectMemberOrAdmin),
    delete: policy(`delete_${plural}_tags`, `Delete tags of ${plural}.`, projectMemberOrAdmin),
  }

  @Controller(`v2.0/${path}/:id/tags`)
  class TagsController {
    constructor(@Inject(service) private readonly resources: ResourceService<C, A>) {}

    @Get()
    @Guarded(policies.get)
    async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
      return { tags: await this.tagsOf(caller, id) }
    }

    @Put()
    @Guarded(policies.update)
    async replace(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body({ schema: tagsBody }) body: TagsBody) {
      return { tags: await this.resources.changeTags(caller, id, () => body.tags) }
    }

    @Delete()
    @HttpCode(204)
    @Guarded(policies.delete)
    async clear(@CurrentCaller() caller: Caller, @Param('id') id: string) {
      await this.resources.changeTags(caller, id, () => [])
    }

    @Get(':tag')
    @HttpCode(204)
    @Guarded(policies.get)
    async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('tag') name: string) {
      if (!(await this.tagsOf(caller, id)).includes(name)) throw tagNotFound(name)
    }

    @Put(':tag')
    @HttpCode(201)
    @Guarded(policies.update)
    async add(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('tag') name: string) {
      const added = parse(tag, name)
      await this.resources.changeTags(caller, id, (tags) => [...tags, added])
    }

    @Delete(':tag')
    @HttpCode(204)
    @Guarded(policies.delete)
    async delete(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('tag') name: string) {
      await this.resources.changeTags(caller, id, (tags) => {
        if (!tags.includes(name)) throw tagNotFound(name)
        return tags.filter((each) => each !== name)
      })
    }

    private async tagsOf(caller: Caller, id: string): Promise<string[]> {
      return ((await this.resources.find(caller, id)) as unknown as { tags: string[] }).tags
    }
  }
  return TagsController
}

const tagNotFound = (name: string) => networkError('NotFound', 'TagNotFound', `Tag ${name} could not be found.`)
