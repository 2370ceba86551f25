import { isCloudAdmin, type Caller } from '@nubo/auth'
import type { ImageRow, ImageVisibility } from '@nubo/database'
import { CloudError, type ProjectId } from '@nubo/kernel'
import { modifyImage, publicizeImage, refused, requireOwner } from '../access.js'
import type { ImageChange } from './image-patch.js'
import { attributeNames, type ImageBody } from './image.schemas.js'

const forbidden = (message: string) => new CloudError('Forbidden', message)
const conflict = (message: string) => new CloudError('Conflict', message)

/** The image after `changes`, made by `caller`. Throws Forbidden or Conflict in Glance's words (`ImagesController.update`). */
export function applyChanges(caller: Caller, image: ImageRow, changes: readonly ImageChange[]): ImageRow {
  const changed = { ...image, tags: [...image.tags], properties: { ...image.properties } }
  for (const change of changes) {
    requireOwner(caller, image, modifyImage)
    if (attributeNames.has(change.name)) changeAttribute(caller, changed, change)
    else changeProperty(changed, change)
  }
  return changed
}

function changeProperty(image: ImageRow, change: ImageChange): void {
  const exists = Object.hasOwn(image.properties, change.name)
  if (change.operation !== 'add' && !exists) throw conflict(`Property ${change.name} does not exist.`)
  if (change.operation === 'remove') {
    delete image.properties[change.name]
    return
  }
  if (change.operation === 'add' && exists && change.strictAdd) throw conflict(`Property ${change.name} already present.`)
  image.properties[change.name] = change.value as string
}

function changeAttribute(caller: Caller, image: ImageRow, change: ImageChange): void {
  const { name } = change
  if (change.operation === 'remove') throw forbidden(`Property ${name} may not be removed.`)
  if (change.operation === 'add' && change.strictAdd) throw conflict(`Property ${name} already present.`)
  if (name === 'owner' && !isCloudAdmin(caller)) throw forbidden("Owner can't be updated by non admin.")
  if ((name === 'disk_format' || name === 'container_format') && image.status !== 'queued') {
    throw forbidden(`Attribute ${name} can be only replaced for a queued image.`)
  }
  setAttributes(image, { [name]: change.value } as ImageBody)
  if (name === 'visibility') requireVisibility(caller, image.visibility)
}

/** Only an admin shows an image to everybody. */
export function requireVisibility(caller: Caller, visibility: ImageVisibility): void {
  if (visibility === 'public' && !publicizeImage.rule(caller, {})) throw refused(publicizeImage)
}

/** Sets those attributes that `values` has. */
export function setAttributes(image: Omit<ImageRow, 'status'>, values: ImageBody): void {
  if (values.name !== undefined) image.name = values.name
  if (values.visibility !== undefined) image.visibility = values.visibility
  if (values.protected !== undefined) image.protected = values.protected
  if (values.os_hidden !== undefined) image.hidden = values.os_hidden
  if (values.owner !== undefined) image.projectId = values.owner as ProjectId
  if (values.container_format !== undefined) image.containerFormat = values.container_format
  if (values.disk_format !== undefined) image.diskFormat = values.disk_format
  if (values.min_ram !== undefined) image.minMemoryMib = values.min_ram
  if (values.min_disk !== undefined) image.minDiskGib = values.min_disk
  if (values.tags !== undefined) image.tags = [...new Set(values.tags)]
}
