import { isCloudAdmin, policy, projectMemberOrAdmin, projectReaderOrAdmin, type Caller, type Policy } from '@nubo/auth'
import type { ImageRow, ImageViewer } from '@nubo/database'
import { CloudError, type ImageId } from '@nubo/kernel'

/** Glance's policies by their names (`glance/policies/image.py`). Whose image it is, is checked with the image at hand. */
export const getImages = policy('get_images', 'List the images that the project may see', projectReaderOrAdmin)
export const getImage = policy('get_image', 'Show an image', projectReaderOrAdmin)
export const addImage = policy('add_image', 'Create an image', projectMemberOrAdmin)
export const modifyImage = policy('modify_image', "Change an image of the project's", projectMemberOrAdmin)
export const deleteImagePolicy = policy('delete_image', "Delete an image of the project's", projectMemberOrAdmin)
export const uploadImage = policy('upload_image', "Upload the bytes of an image of the project's", projectMemberOrAdmin)
export const downloadImage = policy('download_image', 'Download the bytes of an image', projectMemberOrAdmin)
export const deactivateImage = policy('deactivate', "Keep an image of the project's from being downloaded", projectMemberOrAdmin)
export const reactivateImage = policy('reactivate', "Let an image of the project's be downloaded again", projectMemberOrAdmin)
export const publicizeImage = policy('publicize_image', 'Show an image to every project', isCloudAdmin)
export const getMembers = policy('get_members', 'List the projects that an image is shared with', projectReaderOrAdmin)
export const getMember = policy('get_member', 'Show a project that an image is shared with', projectReaderOrAdmin)
export const addMember = policy('add_member', "Share an image of the project's", projectMemberOrAdmin)
export const modifyMember = policy('modify_member', 'Accept or reject an image shared with the project', projectMemberOrAdmin)
export const deleteMember = policy('delete_member', "Share an image of the project's no longer", projectMemberOrAdmin)

export function viewerOf(caller: Caller): ImageViewer {
  return { projectId: caller.scope.kind === 'project' ? caller.scope.projectId : undefined, admin: isCloudAdmin(caller) }
}

/** The image, or Glance's 404: what a project may not see does not exist. */
export function found<Image extends ImageRow>(image: Image | undefined, id: ImageId): Image {
  if (!image) throw new CloudError('NotFound', `No image found with ID ${id}`)
  return image
}

export const owns = (caller: Caller, image: ImageRow): boolean =>
  isCloudAdmin(caller) || (caller.scope.kind === 'project' && caller.scope.projectId === image.projectId)

/** Forbidden, in Glance's words for `wanted`, unless the caller's project owns the image or the caller is an admin. */
export function requireOwner(caller: Caller, image: ImageRow, wanted: Policy): void {
  if (!owns(caller, image)) throw refused(wanted)
}

export const refused = (wanted: Policy): CloudError =>
  new CloudError('Forbidden', `You are not authorized to complete ${wanted.name} action.`, { details: { policy: wanted.name } })

/** The id in a path. What is no UUID names no image. */
export function imageIdOf(text: string): ImageId {
  const id = text.toLowerCase()
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new CloudError('NotFound', `No image found with ID ${text}`)
  return id as ImageId
}
