import { Readable } from 'node:stream'
import { findWholeFile, type Database, type ImageRow } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ImageStore, WholeFile } from '../store/image-store.js'
import { byteRangeOf, type ByteRange } from './byte-range.js'

export interface Sending {
  db: Database
  store: ImageStore
  image: ImageRow
  request: FastifyRequest
  reply: FastifyReply
  /** More headers than those of any image. */
  headers?: Record<string, string>
}

/**
 * Streams the bytes of an image, or the part that the request asks for. An image without bytes is a 204, as in Glance.
 * A deletion meanwhile does not end the stream: the file is open.
 */
export async function sendImage({ db, store, image, request, reply, headers }: Sending): Promise<void> {
  const file = await openFile(db, store, image)
  if (!file) {
    await reply.code(204).send()
    return
  }
  let range: ByteRange | undefined
  let sizeBytes: number
  try {
    sizeBytes = await file.sizeBytes()
    range = asksForOther(request, image) ? undefined : byteRangeOf(request.headers.range, sizeBytes)
  } catch (error) {
    await file.close()
    throw error
  }
  const { start, end } = range ?? { start: 0, end: sizeBytes }
  reply.headers({ ...headersOf(image), ...headers, 'Content-Length': String(end - start) })
  if (range) reply.code(206).header('Content-Range', `bytes ${start}-${end - 1}/${sizeBytes}`)
  if (start === end || request.method === 'HEAD') {
    await file.close()
    // Of a text the framework would say how long that is.
    await reply.send(Readable.from([]))
    return
  }
  await reply.send(file.range(start, end))
}

async function openFile(db: Database, store: ImageStore, image: ImageRow): Promise<WholeFile | undefined> {
  const fileId = await findWholeFile(db, image.id)
  if (!fileId) return undefined
  try {
    return await store.read(fileId)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !(await findWholeFile(db, image.id))) return undefined
    throw new CloudError('Unavailable', `The bytes of image ${image.id} cannot be read right now.`, { cause: error })
  }
}

const entityTag = (image: ImageRow) => `"${image.md5}"`

/** A resumed download whose first part came from another file must begin again (RFC 9110 §13.1.5). */
function asksForOther(request: FastifyRequest, image: ImageRow): boolean {
  const condition = request.headers['if-range']
  return condition !== undefined && condition !== entityTag(image)
}

function headersOf(image: ImageRow): Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    // Glance has the hexadecimal digest here, and its clients compare it as it is.
    ...(image.md5 !== null && { 'Content-MD5': image.md5, ETag: entityTag(image) }),
  }
}
