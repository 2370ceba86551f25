import { Controller, Get, Headers, Inject, Param, Req, Res } from '@nestjs/common'
import { ImageCredentialVerifier, type ImageGrant } from '@nubo/auth'
import { Database, findImage, type ImageRow } from '@nubo/database'
import { CloudError, type ImageId } from '@nubo/kernel'
import { addLogFields, Public } from '@nubo/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { found, imageIdOf } from '../access.js'
import { ImageStore } from '../store/image-store.js'
import { sendImage } from './send-image.js'

/** The bytes of images for the hosts that start guests from them. A host has no token, but a credential for one image. */
@Controller('nubo/v1/images')
export class AgentImagesController {
  constructor(
    @Inject(Database) private readonly db: Database,
    @Inject(ImageStore) private readonly store: ImageStore,
    @Inject(ImageCredentialVerifier) private readonly verifier: ImageCredentialVerifier,
  ) {}

  /** `Authorization: Bearer <image credential>`; takes Range and If-Range. The digest of the whole comes in X-Nubo-Sha512. */
  @Get(':image_id/file')
  @Public()
  async download(
    @Param('image_id') imageId: string,
    @Headers('authorization') authorization: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const id = imageIdOf(imageId)
    const grant = await this.grantOf(authorization)
    addLogFields({ hostId: grant.hostId })
    if (grant.imageId !== id) throw new CloudError('Forbidden', 'The image credential is for another image.')
    const image = await this.usable(id)
    const headers = { 'X-Nubo-Sha512': image.sha512!, 'X-Nubo-Disk-Format': image.diskFormat! }
    await sendImage({ db: this.db, store: this.store, image, request, reply, headers })
  }

  private grantOf(authorization: string | undefined): Promise<ImageGrant> {
    const [, credential] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
    if (credential === undefined) throw new CloudError('Unauthenticated', 'An image credential is needed.')
    return this.verifier.verify(credential)
  }

  /** Whether the tenant may use the image was decided when the credential was made; what happened to it since, is here. */
  private async usable(id: ImageId): Promise<ImageRow> {
    const image = found(await findImage(this.db, id, { projectId: undefined, admin: true }), id)
    if (image.status === 'deactivated') throw new CloudError('Forbidden', `Image ${id} has been deactivated.`)
    if (image.status !== 'active') throw new CloudError('NotFound', `Image ${id} has no bytes.`)
    return image
  }
}
