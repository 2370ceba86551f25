import { projectOf, type Caller, type Policy } from '@nubo/auth'
import {
  deleteImage,
  findImage,
  insertImage,
  listImages,
  lockImage,
  Once,
  saveImage,
  type Database,
  type ImageFileId,
  type ImagePage,
  type ImageRow,
  type ImageStatus,
  type NewImage,
  type Transaction,
} from '@nubo/database'
import { CloudError, newId, type ImageId, type ProjectId, type Random } from '@nubo/kernel'
import {
  deactivateImage,
  deleteImagePolicy,
  found,
  modifyImage,
  owns,
  reactivateImage,
  requireOwner,
  viewerOf,
} from '../access.js'
import type { ImageLimits } from '../configuration.js'
import type { Sweeper } from '../uploads/sweeper.js'
import type { UploadsUnderWay } from '../uploads/uploads-under-way.js'
import { applyChanges, requireVisibility, setAttributes } from './apply-changes.js'
import type { ImageChange } from './image-patch.js'
import { unknownMarker, type ImageQuery } from './image-query.js'
import { attributeNames, shortLength, type ImageBody } from './image.schemas.js'

export interface ImagesParts {
  db: Database
  underWay: UploadsUnderWay
  sweeper: Sweeper
  limits: ImageLimits
  random: Random
}

/** The use cases of images but for their bytes. What a caller may not see is NotFound, what it may not change Forbidden. */
export class ImagesService {
  constructor(private readonly parts: ImagesParts) {}

  async create(caller: Caller, body: ImageBody, once: Once<ImageRow>): Promise<ImageRow> {
    const image = this.newImage(caller, body)
    requireVisibility(caller, image.visibility)
    if (!owns(caller, image as ImageRow)) {
      throw new CloudError('Forbidden', `You are not permitted to create images owned by '${image.projectId}'.`)
    }
    this.requireLimits(image)
    return once.run(this.parts.db, async (db) => {
      const created = await insertImage(db, image)
      if (!created) throw new CloudError('Conflict', `Image ID ${image.id} already exists!`)
      return created
    })
  }

  async list(caller: Caller, query: ImageQuery): Promise<ImagePage> {
    const viewer = viewerOf(caller)
    const { db, limits } = this.parts
    if (query.marker !== undefined && !(await findImage(db, query.marker, viewer))) throw unknownMarker(query.marker)
    return listImages(db, { ...query, viewer, mostImageBytes: mostImageBytes(limits) })
  }

  async show(caller: Caller, id: ImageId): Promise<ImageRow> {
    return found(await findImage(this.parts.db, id, viewerOf(caller)), id)
  }

  update(caller: Caller, id: ImageId, changes: readonly ImageChange[]): Promise<ImageRow> {
    return this.change(caller, id, (image) => {
      if (changes.length === 0) return image
      const changed = applyChanges(caller, image, changes)
      this.requireLimits(changed)
      return changed
    })
  }

  async delete(caller: Caller, id: ImageId): Promise<void> {
    const { db, underWay, sweeper } = this.parts
    const files = await db.transaction(async (tx) => {
      const image = await lockImage(tx, id, viewerOf(caller))
      if (!image) throw new CloudError('NotFound', `Failed to find image ${id} to delete`)
      requireOwner(caller, image, deleteImagePolicy)
      if (image.protected) throw new CloudError('Forbidden', `Image ${id} is protected and cannot be deleted.`)
      return deleteImage(tx, id)
    })
    underWay.revoke(files)
    for (const fileId of files) await sweeper.remove(fileId as ImageFileId)
  }

  addTag(caller: Caller, id: ImageId, tag: string): Promise<ImageRow> {
    return this.change(caller, id, (image) => {
      requireOwner(caller, image, modifyImage)
      if (image.tags.includes(tag)) return image
      const changed = { ...image, tags: [...image.tags, tag] }
      this.requireLimits(changed)
      return changed
    })
  }

  removeTag(caller: Caller, id: ImageId, tag: string): Promise<ImageRow> {
    return this.change(caller, id, (image) => {
      requireOwner(caller, image, modifyImage)
      if (!image.tags.includes(tag)) throw new CloudError('NotFound', 'The resource could not be found.')
      return { ...image, tags: image.tags.filter((other) => other !== tag) }
    })
  }

  /** Its bytes can no longer be downloaded, but by an admin. */
  deactivate(caller: Caller, id: ImageId, once: Once): Promise<ImageRow> {
    const wanted = { from: 'active', to: 'deactivated', verb: 'deactivate', policy: deactivateImage } as const
    return this.changeStatus(caller, id, wanted, once)
  }

  reactivate(caller: Caller, id: ImageId, once: Once): Promise<ImageRow> {
    const wanted = { from: 'deactivated', to: 'active', verb: 'reactivate', policy: reactivateImage } as const
    return this.changeStatus(caller, id, wanted, once)
  }

  private changeStatus(
    caller: Caller,
    id: ImageId,
    { from, to, verb, policy }: { from: ImageStatus; to: ImageStatus; verb: string; policy: Policy },
    once: Once,
  ): Promise<ImageRow> {
    const changed = (image: ImageRow) => {
      requireOwner(caller, image, policy)
      if (image.status === to) return image
      if (image.status !== from) throw new CloudError('Forbidden', `Not allowed to ${verb} image in status '${image.status}'`)
      return { ...image, status: to }
    }
    return this.change(caller, id, changed, once)
  }

  /** Changes an image on its locked row; the same image back changes nothing, not even its time. */
  private change(caller: Caller, id: ImageId, work: (image: ImageRow) => ImageRow, once: Once = Once.unkeyed): Promise<ImageRow> {
    const write = async (tx: Transaction) => {
      const image = found(await lockImage(tx, id, viewerOf(caller)), id)
      const changed = work(image)
      return changed === image ? image : saveImage(tx, changed)
    }
    return this.parts.db.transaction((tx) => once.within(tx, () => write(tx)))
  }

  private newImage(caller: Caller, body: ImageBody): NewImage {
    const image: NewImage = {
      id: (body.id?.toLowerCase() as ImageId | undefined) ?? newId<ImageId>(this.parts.random),
      projectId: (body.owner as ProjectId | undefined) ?? projectOf(caller),
      name: null,
      visibility: 'shared',
      diskFormat: null,
      containerFormat: null,
      minDiskGib: 0,
      minMemoryMib: 0,
      protected: false,
      hidden: false,
      tags: [],
      properties: propertiesOf(body),
    }
    setAttributes(image as ImageRow, body)
    return image
  }

  /** Glance's quotas, which it answers with 413. */
  private requireLimits(image: NewImage | ImageRow): void {
    const { tags, properties, propertyBytes } = this.parts.limits
    const held = Object.entries(image.properties)
    refuseAbove('tags', image.tags.length, tags)
    refuseAbove('properties', held.length, properties)
    refuseAbove('property bytes', Buffer.byteLength(held.flat().join('')), propertyBytes)
  }
}

/** UTF-8 has at most three bytes for each of JavaScript's characters. */
const mostImageBytes = ({ propertyBytes, tags }: ImageLimits) => propertyBytes + tags * shortLength * 3

function refuseAbove(what: string, attempted: number, maximum: number): void {
  if (attempted <= maximum) return
  const message = `The limit has been exceeded on the number of allowed image ${what}. Attempted: ${attempted}, Maximum: ${maximum}`
  throw new CloudError('QuotaExceeded', message)
}

function propertiesOf(body: ImageBody): Record<string, string> {
  const properties: Record<string, string> = {}
  for (const [name, value] of Object.entries(body)) {
    if (attributeNames.has(name)) continue
    if (name.length > 255) throw new CloudError('Invalid', 'Custom property should not be greater than 255 characters.')
    properties[name] = value as string
  }
  return properties
}
