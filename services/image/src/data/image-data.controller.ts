import type { Readable } from 'node:stream'
import { Body, Controller, Get, HttpCode, Inject, Param, Put, Req, Res } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { Database, findImage } from '@nubo/database'
import { CloudError, type Clock } from '@nubo/kernel'
import { CLOCK, CurrentCaller, Guarded, StreamsBody } from '@nubo/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { downloadImage, found, imageIdOf, uploadImage, viewerOf } from '../access.js'
import { ImageStore } from '../store/image-store.js'
import { ImageUploads } from '../uploads/image-uploads.js'
import { drain } from './drain.js'
import { sendImage } from './send-image.js'

/** The bytes of images (`glance/api/v2/image_data.py`). */
@Controller('v2/images/:image_id/file')
export class ImageDataController {
  constructor(
    @Inject(Database) private readonly db: Database,
    @Inject(ImageStore) private readonly store: ImageStore,
    @Inject(ImageUploads) private readonly uploads: ImageUploads,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Put()
  @HttpCode(204)
  @Guarded(uploadImage)
  @StreamsBody()
  async upload(
    @CurrentCaller() caller: Caller,
    @Param('image_id') imageId: string,
    @Body() body: Readable,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    try {
      await this.uploads.upload(caller, imageIdOf(imageId), body, declaredBytes(request))
    } catch (error) {
      drain(body, this.clock)
      throw error
    }
  }

  @Get()
  @Guarded(downloadImage)
  async download(
    @CurrentCaller() caller: Caller,
    @Param('image_id') imageId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const id = imageIdOf(imageId)
    const image = found(await findImage(this.db, id, viewerOf(caller)), id)
    if (image.status === 'deactivated' && !isCloudAdmin(caller)) {
      throw new CloudError('Forbidden', 'The requested image has been deactivated. Image data download is forbidden.')
    }
    await sendImage({ db: this.db, store: this.store, image, request, reply })
  }
}

function declaredBytes(request: FastifyRequest): number | undefined {
  const length = request.headers['content-length']
  return length === undefined ? undefined : Number(length)
}
