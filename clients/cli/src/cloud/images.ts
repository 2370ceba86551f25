import { createHash } from 'node:crypto'
import { Transform, type Readable } from 'node:stream'
import { CommandError, exitCode } from '../exit.js'
import { looksLikeId, orNothing, pick } from './names.js'
import { fetchAll, withQuery } from './pages.js'
import { readJson, type ServiceRequest, type Session } from './session.js'
import type { HttpResponse } from './transport.js'

/** An image in the image service's keys. Properties that users add stand beside them, as strings. */
export interface Image {
  id: string
  name: string | null
  status: string
  visibility: string
  disk_format: string | null
  container_format: string | null
  size: number | null
  virtual_size?: number | null
  checksum?: string | null
  os_hash_algo?: string | null
  os_hash_value?: string | null
  min_disk: number
  min_ram: number
  protected: boolean
  os_hidden?: boolean
  owner: string
  tags: string[]
  created_at: string
  updated_at: string
  [property: string]: unknown
}

export interface ImageFilters {
  name?: string | undefined
  status?: string | undefined
  visibility?: string | undefined
  tag?: string | undefined
}

/** One step of a JSON patch (RFC 6902), as the image service takes it. */
export interface ImagePatch {
  op: 'add' | 'replace' | 'remove'
  path: string
  value?: unknown
}

/** What the service says of every image; any other key is a property that somebody set. */
const ownKeys = new Set(
  (
    'id name status visibility disk_format container_format size virtual_size checksum os_hash_algo os_hash_value min_disk min_ram ' +
    'protected os_hidden owner tags created_at updated_at self file schema locations direct_url stores'
  ).split(' '),
)

export function imageProperties(image: Image): Record<string, string> {
  return Object.fromEntries(
    Object.entries(image).filter((entry): entry is [string, string] => !ownKeys.has(entry[0]) && typeof entry[1] === 'string'),
  )
}

export function isOwnKey(key: string): boolean {
  return ownKeys.has(key)
}

/** Requests to the image service (https://docs.openstack.org/api-ref/image/v2). */
export class Images {
  constructor(private readonly session: Session) {}

  /** `GET /v2/images`, all pages. */
  async list(filters: ImageFilters = {}, limit?: number): Promise<Image[]> {
    const url = withQuery(`${await this.root()}/images`, { ...filters, limit })
    return fetchAll<Image>(this.session, { url, key: 'images', limit, doing: 'Listing the images' })
  }

  async get(id: string): Promise<Image> {
    const response = await this.send({ method: 'GET' }, `/images/${encodeURIComponent(id)}`, 'Reading the image')
    return readJson<Image>(response, 'The image service')
  }

  async find(wanted: string): Promise<Image> {
    const byId = looksLikeId(wanted) ? await orNothing(this.get(wanted)) : undefined
    return byId ?? pick('image', wanted, await this.list({ name: wanted }), (image) => image.name)
  }

  /** `POST /v2/images`: the record, to which the bytes are uploaded afterwards. */
  async create(record: Record<string, unknown>): Promise<Image> {
    const response = await this.send({ method: 'POST', json: record }, '/images', 'Creating the image')
    return readJson<Image>(response, 'The image service')
  }

  /** `PUT /v2/images/{id}/file`. Resolves with the SHA-512 of what was sent. */
  async upload(
    id: string,
    bytes: Readable,
    sizeBytes: number | undefined,
    progress: (sentBytes: number) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const hash = createHash('sha512')
    const body = counted(bytes, (chunk) => hash.update(chunk), progress)
    const request = {
      method: 'PUT' as const,
      headers: { 'content-type': 'application/octet-stream' },
      bytes: { bytes: body, sizeBytes },
      signal,
    }
    const response = await this.send(request, `/images/${id}/file`, 'Uploading the image')
    response.bytes.resume()
    return hash.digest('hex')
  }

  /** `GET /v2/images/{id}/file`: the bytes, checked while they pass against what the service says of the image. */
  async download(image: Image, progress: (receivedBytes: number) => void, signal: AbortSignal): Promise<Readable> {
    const request = { method: 'GET' as const, headers: { accept: '*/*' }, signal }
    const response = await this.send(request, `/images/${image.id}/file`, 'Downloading the image')
    if (response.status === 204)
      throw new CommandError(exitCode.cloudError, `The image '${image.name}' has no data: it is ${image.status}`)
    const [algorithm, expected] =
      image.os_hash_algo && image.os_hash_value ? [image.os_hash_algo, image.os_hash_value] : ['md5', image.checksum]
    const hash = createHash(algorithm)
    const checked = counted(
      response.bytes,
      (chunk) => hash.update(chunk),
      progress,
      () => {
        if (!expected || hash.digest('hex') === expected) return undefined
        return new CommandError(
          exitCode.cloudError,
          `The data of the image '${image.name}' are damaged: their ${algorithm} is not what the cloud says`,
        )
      },
    )
    response.bytes.on('error', (error) => checked.destroy(error))
    return checked
  }

  /** `PATCH /v2/images/{id}`. */
  async update(id: string, patch: ImagePatch[]): Promise<Image> {
    const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
    const response = await this.send({ method: 'PATCH', headers, json: patch }, `/images/${id}`, 'Changing the image')
    return readJson<Image>(response, 'The image service')
  }

  async delete(id: string): Promise<void> {
    const response = await this.send({ method: 'DELETE' }, `/images/${id}`, 'Deleting the image')
    response.bytes.resume()
  }

  private async send(request: Omit<ServiceRequest, 'url'>, path: string, doing: string): Promise<HttpResponse> {
    return this.session.request({ ...request, url: (await this.root()) + path }, doing)
  }

  /** The catalog has the service's root, or in older clouds a version already. */
  private async root(): Promise<string> {
    const endpoint = await this.session.endpoint('image')
    return /\/v2(\.\d+)?$/.test(endpoint) ? endpoint : `${endpoint}/v2`
  }
}

/** Passes bytes through, shows each chunk on the way, and may refuse at the end. */
function counted(
  bytes: Readable,
  see: (chunk: Buffer) => void,
  progress: (totalBytes: number) => void,
  judge: () => Error | undefined = () => undefined,
): Transform {
  let totalBytes = 0
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk)
      totalBytes += chunk.length
      progress(totalBytes)
      done(null, chunk)
    },
    flush: (done) => done(judge() ?? null),
  })
  bytes.on('error', (error) => passing.destroy(error))
  return bytes.pipe(passing)
}
