import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Patch, Post, Put, Req } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import { CloudError, type RequestKey } from '@nubo/kernel'
import { CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Located } from '@nubo/service-kit'
import { WireError } from '@nubo/wire'
import type { FastifyRequest } from 'fastify'
import {
  addImage,
  deactivateImage,
  deleteImagePolicy,
  getImage,
  getImages,
  imageIdOf,
  modifyImage,
  reactivateImage,
} from '../access.js'
import { patchMediaTypes, readImagePatch } from './image-patch.js'
import { readImageQuery } from './image-query.js'
import { isReservedName, isStorable, parseImageBody, readOnlyNames, shortLength } from './image.schemas.js'
import { imagesView, imageView } from './image.views.js'
import { ImagesService } from './images.service.js'

/** `/v2/images` (`glance/api/v2/images.py`, `image_tags.py`, `image_actions.py`). */
@Controller('v2/images')
export class ImagesController {
  constructor(@Inject(ImagesService) private readonly images: ImagesService) {}

  @Post()
  @HttpCode(201)
  @Guarded(addImage)
  @Idempotent()
  @Located(({ id }: { id: string }) => `/v2/images/${id}`)
  async create(@CurrentCaller() caller: Caller, @Body() body: unknown, @CurrentRequestKey() key: RequestKey | undefined) {
    return imageView(await this.images.create(caller, readNewImage(body), new Once(key, imageView)))
  }

  @Get()
  @Guarded(getImages)
  async list(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest) {
    const parameters = queryOf(request)
    const { images, hasMore } = await this.images.list(caller, readImageQuery(parameters))
    return imagesView(images, parameters, hasMore)
  }

  @Get(':image_id')
  @Guarded(getImage)
  async show(@CurrentCaller() caller: Caller, @Param('image_id') id: string) {
    return imageView(await this.images.show(caller, imageIdOf(id)))
  }

  @Patch(':image_id')
  @Guarded(modifyImage)
  async update(
    @CurrentCaller() caller: Caller,
    @Param('image_id') id: string,
    @Body() body: unknown,
    @Headers('content-type') contentType: string | undefined,
  ) {
    const draft = draftOf(contentType)
    return imageView(await this.images.update(caller, imageIdOf(id), readImagePatch(present(body), draft)))
  }

  @Delete(':image_id')
  @HttpCode(204)
  @Guarded(deleteImagePolicy)
  delete(@CurrentCaller() caller: Caller, @Param('image_id') id: string): Promise<void> {
    return this.images.delete(caller, imageIdOf(id))
  }

  @Put(':image_id/tags/:tag')
  @HttpCode(204)
  @Guarded(modifyImage)
  async addTag(@CurrentCaller() caller: Caller, @Param('image_id') id: string, @Param('tag') tag: string): Promise<void> {
    await this.images.addTag(caller, imageIdOf(id), readTag(tag))
  }

  @Delete(':image_id/tags/:tag')
  @HttpCode(204)
  @Guarded(modifyImage)
  async removeTag(@CurrentCaller() caller: Caller, @Param('image_id') id: string, @Param('tag') tag: string): Promise<void> {
    await this.images.removeTag(caller, imageIdOf(id), tag)
  }

  @Post(':image_id/actions/deactivate')
  @HttpCode(204)
  @Guarded(deactivateImage)
  @Idempotent()
  async deactivate(
    @CurrentCaller() caller: Caller,
    @Param('image_id') id: string,
    @CurrentRequestKey() key: RequestKey | undefined,
  ): Promise<void> {
    await this.images.deactivate(caller, imageIdOf(id), new Once(key, noBody))
  }

  @Post(':image_id/actions/reactivate')
  @HttpCode(204)
  @Guarded(reactivateImage)
  @Idempotent()
  async reactivate(
    @CurrentCaller() caller: Caller,
    @Param('image_id') id: string,
    @CurrentRequestKey() key: RequestKey | undefined,
  ): Promise<void> {
    await this.images.reactivate(caller, imageIdOf(id), new Once(key, noBody))
  }
}

const noBody = () => undefined

function queryOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1))
}

function readNewImage(given: unknown) {
  const body = present(given)
  if (typeof body !== 'object' || body === null) throw new CloudError('Invalid', 'Unexpected body type. Expected list/dict.')
  for (const name of Object.keys(body)) {
    if (readOnlyNames.has(name)) throw new CloudError('Forbidden', `Attribute '${name}' is read-only.`)
    if (isReservedName(name)) throw new CloudError('Forbidden', `Attribute '${name}' is reserved.`)
  }
  return parseImageBody(body)
}

function readTag(tag: string): string {
  if (!isStorable(tag) || tag.length > shortLength)
    throw new CloudError('Invalid', `Could not update image: '${tag.slice(0, 64)}' is too long`)
  return tag
}

const mediaTypeOf = (contentType = '') => contentType.split(';', 1)[0]!.trim().toLowerCase()

function draftOf(contentType: string | undefined) {
  const draft = patchMediaTypes[mediaTypeOf(contentType) as keyof typeof patchMediaTypes]
  if (draft) return draft
  const allowed = Object.keys(patchMediaTypes).join(', ')
  throw new WireError(415, `Image PATCH expects Content-Type one of: ${allowed}`, { headers: { 'Accept-Patch': allowed } })
}

function present(body: unknown): unknown {
  if (body === undefined) throw new CloudError('Invalid', 'Body expected in request.')
  return body
}
