import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ImageDigest } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { ImageRefused, type Inspector } from '../inspection/index.js'
import type { IncomingFile } from '../store/image-store.js'
import type { UploadUnderWay } from './uploads-under-way.js'

export interface Receiving {
  body: Readable
  file: IncomingFile
  inspector: Inspector
  upload: UploadUnderWay
  limitBytes: number
}

/**
 * Takes a body to its end, a chunk at a time: looked at, counted in, written. Memory and the event loop see one chunk,
 * however long the body is. Rejects with `ImageRefused`, or with a CloudError: TooLarge, Invalid where the client went.
 * The body is left open, so that the client can be told why.
 */
export async function receive({ body, file, inspector, upload, limitBytes }: Receiving): Promise<ImageDigest> {
  const md5 = createHash('md5')
  const sha512 = createHash('sha512')
  let sizeBytes = 0
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (upload.signal.aborted) throw lostPlace()
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes)
      inspector.take(chunk)
      md5.update(chunk)
      sha512.update(chunk)
      await file.write(chunk)
      upload.progressed(chunk.length)
    }
    const { virtualBytes } = inspector.finish()
    await file.flush()
    return { sizeBytes, virtualBytes, md5: md5.digest('hex'), sha512: sha512.digest('hex') }
  } catch (error) {
    throw receivingFailed(error)
  }
}

export const tooLarge = (limitBytes: number) =>
  new CloudError('TooLarge', `The incoming image is too large: more than ${limitBytes} bytes are not taken here.`)

/** Told apart from other conflicts by its details: Glance has a status of its own for it, 410. */
export const lostPlace = () =>
  new CloudError('Conflict', 'The image may have been deleted during the upload.', { details: { lostPlace: true } })

const storageErrors: Record<string, () => CloudError> = {
  ENOSPC: () => new CloudError('TooLarge', 'Image storage media is full: there is no room left for the image.'),
  EDQUOT: () => new CloudError('TooLarge', 'Image storage media is full: there is no room left for the image.'),
  EFBIG: () => new CloudError('TooLarge', 'Image storage media is full: it takes no file of this size.'),
  EACCES: () => new CloudError('Unavailable', 'Insufficient permissions on image storage media.'),
  EROFS: () => new CloudError('Unavailable', 'Insufficient permissions on image storage media.'),
  ECONNRESET: () => new CloudError('Invalid', 'The upload was cut off.'),
  ERR_STREAM_PREMATURE_CLOSE: () => new CloudError('Invalid', 'The upload was cut off.'),
}

export function receivingFailed(error: unknown): unknown {
  if (error instanceof CloudError || error instanceof ImageRefused) return error
  const known = storageErrors[String((error as NodeJS.ErrnoException).code)]
  if (!known) return error
  const told = known()
  return new CloudError(told.kind, told.message, { cause: error })
}
