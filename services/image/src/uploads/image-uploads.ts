import type { Readable } from 'node:stream'
import type { Caller } from '@nubo/auth'
import {
  abandonUpload,
  claimUpload,
  completeUpload,
  lockImage,
  type Database,
  type ImageFileId,
  type ImageRow,
  type UploadRefusal,
} from '@nubo/database'
import { CloudError, newId, type ImageId, type Random } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'
import { WireError } from '@nubo/wire'
import { found, requireOwner, uploadImage, viewerOf } from '../access.js'
import type { ImageLimits } from '../configuration.js'
import { ImageRefused, inspectorOf, type DiskFormat } from '../inspection/index.js'
import type { SecondOpinion } from '../inspection/second-opinion.js'
import type { IncomingFile, ImageStore } from '../store/image-store.js'
import { lostPlace, receive, receivingFailed, tooLarge } from './receive.js'
import type { Sweeper } from './sweeper.js'
import { leaseSeconds, type UploadsUnderWay, type UploadUnderWay } from './uploads-under-way.js'

export interface UploadParts {
  db: Database
  store: ImageStore
  underWay: UploadsUnderWay
  sweeper: Sweeper
  secondOpinion: SecondOpinion
  /** Names this process, see `processIdentity`. */
  writer: string
  limits: ImageLimits
  random: Random
  logger: Logger
}

/** Takes in the bytes of images. An upload either makes its image active or leaves it queued, with no bytes behind. */
export class ImageUploads {
  constructor(private readonly parts: UploadParts) {}

  /**
   * @param declaredBytes of the body, where the client said so
   * Throws NotFound, Forbidden, Conflict (the image is not queued), Invalid (its formats are not set, or the client went),
   * TooLarge (the limit, a full disk, or too many uploads at once), UnsupportedMedia (the bytes are not what they should be), 410 (deleted meanwhile).
   */
  async upload(caller: Caller, imageId: ImageId, body: Readable, declaredBytes: number | undefined): Promise<void> {
    const fileId = newId<ImageFileId>(this.parts.random)
    const image = await this.claim(caller, imageId, fileId, declaredBytes)
    const upload = this.parts.underWay.begin(fileId, body)
    try {
      await this.takeIn(image, fileId, { body, declaredBytes }, upload)
      this.parts.logger.info({ imageId, fileId }, 'an image was uploaded')
    } catch (error) {
      throw told(error, imageId)
    } finally {
      upload.end()
    }
  }

  private claim(caller: Caller, imageId: ImageId, fileId: ImageFileId, declaredBytes: number | undefined): Promise<ImageRow> {
    const { db, writer, limits } = this.parts
    return db.transaction(async (tx) => {
      const image = found(await lockImage(tx, imageId, viewerOf(caller)), imageId)
      requireOwner(caller, image, uploadImage)
      const refusal = await claimUpload(tx, image, { fileId, writer, leaseSeconds, mostUnderWay: limits.uploads })
      if (refusal) throw refusalError(refusal)
      if (declaredBytes !== undefined && declaredBytes > limits.imageBytes) throw tooLarge(limits.imageBytes)
      return image
    })
  }

  private async takeIn(
    image: ImageRow,
    fileId: ImageFileId,
    { body, declaredBytes }: { body: Readable; declaredBytes: number | undefined },
    upload: UploadUnderWay,
  ): Promise<void> {
    const { store, limits, secondOpinion, db } = this.parts
    const format = image.diskFormat as DiskFormat
    let file: IncomingFile | undefined
    let undo = true
    try {
      file = await store.create(fileId, declaredBytes)
      const inspector = inspectorOf(format, limits)
      const digest = await receive({ body, file, inspector, upload, limitBytes: limits.imageBytes })
      upload.received()
      await secondOpinion.ask(file.path, format, digest, image.projectId)
      if (upload.signal.aborted) throw lostPlace()
      await file.keep()
      // Should the outcome of this commit stay unknown, the file must stay too: its record will tell the sweeper.
      undo = false
      const active = await db.transaction((tx) => completeUpload(tx, fileId, digest))
      undo = !active
      if (!active) throw lostPlace()
    } catch (error) {
      if (undo) await this.abandon(file, fileId)
      throw receivingFailed(error)
    }
  }

  /** What cannot be undone now, because the disk or the database fails, is undone by a later sweep. */
  private async abandon(file: IncomingFile | undefined, fileId: ImageFileId): Promise<void> {
    const { db, sweeper, logger } = this.parts
    try {
      await file?.discard()
      await db.transaction((tx) => abandonUpload(tx, fileId))
      await sweeper.remove(fileId)
    } catch (error) {
      logger.warn({ err: error, fileId }, 'a failed upload is left to be swept')
    }
  }
}

function refusalError(refusal: UploadRefusal): CloudError {
  if (refusal.refused === 'status') {
    return new CloudError('Conflict', `Image status transition from ${refusal.status} to saving is not allowed`)
  }
  if (refusal.refused === 'uploads') {
    const message = `The project has ${refusal.most} uploads under way, and no more at once are taken: wait until one has ended.`
    return new CloudError('TooLarge', message)
  }
  const [first, second] = refusal.missing
  return new CloudError(
    'Invalid',
    second
      ? `Properties ${first}, ${second} must be set prior to saving data.`
      : `Property ${first} must be set prior to saving data.`,
  )
}

/** What the client is told, in Glance's statuses. */
function told(error: unknown, imageId: ImageId): unknown {
  if (error instanceof ImageRefused) {
    return new CloudError('UnsupportedMedia', error.message, { cause: error, details: { refusal: error.code } })
  }
  if (error instanceof CloudError && error.details['lostPlace']) {
    const message = `Image ${imageId} could not be found after upload. The image may have been deleted during the upload, cleaning up the chunks uploaded.`
    return new WireError(410, message, { cause: error })
  }
  return error
}
