import type { Caller } from '@nubo/auth'
import {
  deleteImageMember,
  findImage,
  findImageMember,
  insertImageMember,
  listImageMembers,
  lockImage,
  setImageMemberStatus,
  type Database,
  type ImageMemberRow,
  type ImageRow,
  type MemberStatus,
  type Once,
  type Transaction,
} from '@nubo/database'
import { CloudError, type ImageId, type ProjectId } from '@nubo/kernel'
import { owns, viewerOf } from '../access.js'
import type { ImageLimits } from '../configuration.js'

/** Sharing images with projects (`glance/api/v2/image_members.py`). */
export class MembersService {
  constructor(
    private readonly db: Database,
    private readonly limits: ImageLimits,
  ) {}

  add(caller: Caller, imageId: ImageId, projectId: ProjectId, once: Once<ImageMemberRow>): Promise<ImageMemberRow> {
    const write = async (tx: Transaction) => {
      const image = visible(await lockImage(tx, imageId, viewerOf(caller)), imageId)
      if (!isShared(image) || !owns(caller, image)) {
        throw new CloudError('Forbidden', `Not allowed to create members for image ${imageId}.`)
      }
      const added = await insertImageMember(tx, imageId, projectId, this.limits.members)
      if (added === 'duplicate') {
        throw new CloudError('Conflict', `Member ${projectId} is duplicated for image ${imageId}`)
      }
      if ('attempted' in added) {
        const message = `Image member limit exceeded for image ${imageId}: The limit has been exceeded on the number of allowed image members for this image. Attempted: ${added.attempted}, Maximum: ${this.limits.members}:`
        throw new CloudError('QuotaExceeded', message)
      }
      return added
    }
    return this.db.transaction((tx) => once.within(tx, () => write(tx)))
  }

  /** To the owner all of them, to a member itself alone. */
  async list(caller: Caller, imageId: ImageId): Promise<ImageMemberRow[]> {
    const image = await this.image(caller, imageId)
    if (!isShared(image)) {
      throw new CloudError('Forbidden', `Not allowed to list members for image ${imageId}: Only shared images have members.`)
    }
    const members = await listImageMembers(this.db, imageId)
    return members.filter((member) => owns(caller, image) || member.projectId === viewerOf(caller).projectId)
  }

  async show(caller: Caller, imageId: ImageId, projectId: ProjectId): Promise<ImageMemberRow> {
    const image = await this.image(caller, imageId)
    if (!isShared(image)) throw new CloudError('NotFound', 'Only shared images have members.')
    if (!owns(caller, image) && projectId !== viewerOf(caller).projectId) throw notMember(imageId, projectId)
    return this.member(imageId, projectId)
  }

  /** Said by the member itself: whether the image shows in its lists. */
  async setStatus(caller: Caller, imageId: ImageId, projectId: ProjectId, status: MemberStatus): Promise<ImageMemberRow> {
    const image = await this.image(caller, imageId)
    const viewer = viewerOf(caller)
    const forbidden = new CloudError('Forbidden', `Not allowed to update members for image ${imageId}.`)
    if (!isShared(image)) throw forbidden
    if (!viewer.admin && viewer.projectId !== projectId) throw owns(caller, image) ? forbidden : notMember(imageId, projectId)
    const changed = await setImageMemberStatus(this.db, imageId, projectId, status)
    if (!changed) throw notMember(imageId, projectId)
    return changed
  }

  async remove(caller: Caller, imageId: ImageId, projectId: ProjectId): Promise<void> {
    const image = await this.image(caller, imageId)
    if (!isShared(image) || !owns(caller, image)) {
      throw new CloudError('Forbidden', `Not allowed to delete members for image ${imageId}.`)
    }
    if (!(await deleteImageMember(this.db, imageId, projectId))) throw notMember(imageId, projectId)
  }

  private async image(caller: Caller, imageId: ImageId): Promise<ImageRow> {
    return visible(await findImage(this.db, imageId, viewerOf(caller)), imageId)
  }

  private async member(imageId: ImageId, projectId: ProjectId): Promise<ImageMemberRow> {
    const member = await findImageMember(this.db, imageId, projectId)
    if (!member) throw notMember(imageId, projectId)
    return member
  }
}

const isShared = (image: ImageRow) => image.visibility === 'shared'

function visible(image: ImageRow | undefined, imageId: ImageId): ImageRow {
  if (!image) throw new CloudError('NotFound', `Image ${imageId} not found.`)
  return image
}

const notMember = (imageId: ImageId, projectId: ProjectId) =>
  new CloudError('NotFound', `${projectId} not found in the member list of the image ${imageId}.`)
